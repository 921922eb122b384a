# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_popfetch_global_optspecs
    string join \n config= format= 0/null q/quiet v/verbose color= no-progress h/help V/version
end

function __fish_popfetch_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_popfetch_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_popfetch_using_subcommand
    set -l cmd (__fish_popfetch_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c popfetch -n "__fish_popfetch_needs_command" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_needs_command" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_needs_command" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_needs_command" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_needs_command" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_needs_command" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_needs_command" -s V -l version -d 'Print version'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "fetch" -d 'Fetch new mail; what popfetch does when no command is given'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "check" -d 'Sign in and show what waits; fetches nothing, changes no mail'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "watch" -d 'Stay in the foreground, and fetch each account when it is due'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "list" -d 'List the messages that are in the Maildir, newest first; needs no connection'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "show" -d 'Show a message, its attachments, or a part of it; needs no connection'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "import" -d 'Take over accounts from another tool, and what it has fetched'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "setup" -d 'Set up an account: finds the server, tries the sign-in, and writes the config file'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "account" -d 'Look at the accounts of the config file, or remove one'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "state" -d 'Look at what is remembered of a mailbox, and mend it'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "verify" -d 'Check that every recorded message is still in the Maildir, unchanged'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "login" -d 'Sign in by OAuth 2.0, once, in the browser or with another device'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "password" -d 'Keep passwords in the system keyring'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "completions" -d 'Write a completion script for a shell'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "man" -d 'Show a manual page, or write it to a file or a pipe'
complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "schema" -d 'Write the JSON Schema of what --format json writes'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l delete-after -d 'Delete each message from the server this long after it was fetched, as in "14 days"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l maildir -d 'Store the mail in this Maildir; needed with a URL' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l max-size -d 'Leave larger messages on the server, as in "25 MB"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l latest -d 'On the first fetch of an account take only the newest N messages (of each folder), and pass over the rest' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -s j -l jobs -d 'Work on this many accounts at once' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l shard -d 'Work on only the Ith of N parts of the accounts, counted from 0, as in 0/4' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l max-time -d 'Stop after this long, as in "10 min"; what is left is for the next run' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l auth -d 'How to sign in, as `auth` in the config file; the best way that the server offers by default' -r -f -a "auto\t''
plain\t''
login\t''
user-pass\t''
scram-sha-256\t''
scram-sha-256-plus\t''
scram-sha-256-unbound\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-1-unbound\t''
external\t''
oauthbearer\t''
xoauth2\t''
cram-md5\t''
apop\t''"
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l tls-roots -d 'Whose certificates to trust: system, bundled, pinned (tls-pin alone), or a PEM file' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l tls-pin -d 'The SHA-256 of the server\'s public key, as tls-pin in the config file; can be repeated' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l timeout -d 'How long a server may be silent, as in "5 min"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -s n -l dry-run -d 'Show what would be fetched and deleted, and do neither'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l keep -d 'Leave all messages on the server, whatever the profile says'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l delete -d 'Delete each message from the server once it is safely stored, and all that was fetched earlier'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l newest-first -d 'Fetch the newest messages first'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l now -d 'Try at once where a server asked to be left alone for a while'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l as-new -d 'Fetch all that is not known, even if the mailbox looks like one that is known by another name, or like one that an import was for'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l password-stdin -d 'Read the password from the first line of standard input; for one account'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l auth -d 'How to sign in, as `auth` in the config file; the best way that the server offers by default' -r -f -a "auto\t''
plain\t''
login\t''
user-pass\t''
scram-sha-256\t''
scram-sha-256-plus\t''
scram-sha-256-unbound\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-1-unbound\t''
external\t''
oauthbearer\t''
xoauth2\t''
cram-md5\t''
apop\t''"
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l tls-roots -d 'Whose certificates to trust: system, bundled, pinned (tls-pin alone), or a PEM file' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l tls-pin -d 'The SHA-256 of the server\'s public key, as tls-pin in the config file; can be repeated' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l timeout -d 'How long a server may be silent, as in "5 min"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l headers -d 'Show date, sender and subject of each new message'
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l now -d 'Try at once where a server asked to be left alone for a while'
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l password-stdin -d 'Read the password from the first line of standard input; for one account'
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -s j -l jobs -d 'Work on this many accounts at once' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -l shard -d 'Watch only the Ith of N parts of the accounts, counted from 0, as in 0/4' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -l status -d 'Say how the running watch of these accounts is doing: exit status 0 if it is well, 1 if not'
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l maildir -d 'List this Maildir; without an account it needs no config file' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l from -d 'Only messages with this text in the sender\'s name or address' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l subject -d 'Only messages with this text in their subject' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l since -d 'Only messages written since then: a date, as in 2026-11-24, or how long ago, as in "14 days"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l limit -d 'At most this many messages, the newest' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l folder -d 'List this folder of the Maildir, by the name that a list shows' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l new -d 'Only messages that nobody has read'
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l all-folders -d 'List all folders as well'
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l maildir -d 'Look for a Message-ID only in this Maildir' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l part -d 'Show only this part; the attachments have their numbers before them' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l save -d 'Save the attachments in this directory; with --part, that part' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l raw -d 'Show the message as it is stored'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l headers -d 'Show all fields of the header, and nothing else'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l html -d 'Show the HTML itself, for a browser'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l peek -d 'Do not mark the message as seen'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -l seen -d 'The file with the unique-ids of what it has fetched, where that is not in the usual place; where it has one for each folder, the directory that they are in' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -l account -d 'Only this one of its accounts, as it is called there, or as USER@HOST' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -l may-delete -d 'Let `keep` delete from the server what the tool has fetched, as it deletes other mail'
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -s n -l dry-run -d 'Show what would be taken over, and change nothing'
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -s y -l yes -d 'Ask nothing'
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l name -d 'What the account is to be called' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l host -d 'The server, where you know it: HOST or HOST:PORT' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l protocol -d 'What the server speaks; POP3 where it speaks both, unless said' -r -f -a "pop3\t''
imap\t''"
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l user -d 'The user\'s name at the server, where it is not the address' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l latest -d 'On the first fetch take only the newest N messages (of each folder); 0 for none' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l delete-after -d 'Delete each message from the server this long after it was fetched, as in "14 days"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l maildir -d 'Where the mail goes' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l secret -d 'Where the password is kept' -r -f -a "keyring\t'In the system keyring'
file\t'In a file for you alone, beside the config file'
ask\t'Nowhere: ask each time'"
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l auth -d 'How to sign in, as `auth` in the config file; the best way that the server offers by default' -r -f -a "auto\t''
plain\t''
login\t''
user-pass\t''
scram-sha-256\t''
scram-sha-256-plus\t''
scram-sha-256-unbound\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-1-unbound\t''
external\t''
oauthbearer\t''
xoauth2\t''
cram-md5\t''
apop\t''"
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l tls-roots -d 'Whose certificates to trust: system, bundled, pinned (tls-pin alone), or a PEM file' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l tls-pin -d 'The SHA-256 of the server\'s public key, as tls-pin in the config file; can be repeated' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l timeout -d 'How long a server may be silent, as in "5 min"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -s y -l yes -d 'Ask for the password alone, and take the default of all else'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l print -d 'Write the account to standard output, and nowhere else'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l keep -d 'Leave all messages on the server; this is the default'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l delete -d 'Delete each message from the server once it is safely stored, and all that was fetched earlier'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l password-stdin -d 'Read the password from the first line of standard input; for one account'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand setup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -f -a "list" -d 'List the accounts'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -f -a "show" -d 'Show an account\'s settings, defaults included, without its password'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -f -a "test" -d 'Test whether an account works: server, certificate, sign-in, Maildir; changes nothing'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and not __fish_seen_subcommand_from list show test remove" -f -a "remove" -d 'Take an account out of the config file; its mail stays where it is'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -l names -d 'Their names alone, one a line, as completions want them'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l auth -d 'How to sign in, as `auth` in the config file; the best way that the server offers by default' -r -f -a "auto\t''
plain\t''
login\t''
user-pass\t''
scram-sha-256\t''
scram-sha-256-plus\t''
scram-sha-256-unbound\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-1-unbound\t''
external\t''
oauthbearer\t''
xoauth2\t''
cram-md5\t''
apop\t''"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l tls-roots -d 'Whose certificates to trust: system, bundled, pinned (tls-pin alone), or a PEM file' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l tls-pin -d 'The SHA-256 of the server\'s public key, as tls-pin in the config file; can be repeated' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l timeout -d 'How long a server may be silent, as in "5 min"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l password-stdin -d 'Read the password from the first line of standard input; for one account'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -l forget -d 'Remove the record of what was fetched, too'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -s y -l yes -d 'Ask nothing'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -f -a "show" -d 'Show what is remembered of an account\'s mailbox'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -f -a "mark-seen" -d 'Mark all that waits in the mailbox as seen: later fetches pass over it'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -f -a "forget" -d 'Forget messages, so that they are fetched again'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -f -a "accept" -d 'Accept what is stored as it is, where popfetch does not go on by itself'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and not __fish_seen_subcommand_from show mark-seen forget accept move" -f -a "move" -d 'Move what is remembered of a mailbox to the account that fetches it now'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l maildir -d 'The account\'s Maildir; needed with a URL' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l auth -d 'How to sign in, as `auth` in the config file; the best way that the server offers by default' -r -f -a "auto\t''
plain\t''
login\t''
user-pass\t''
scram-sha-256\t''
scram-sha-256-plus\t''
scram-sha-256-unbound\t''
scram-sha-1\t''
scram-sha-1-plus\t''
scram-sha-1-unbound\t''
external\t''
oauthbearer\t''
xoauth2\t''
cram-md5\t''
apop\t''"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l tls-roots -d 'Whose certificates to trust: system, bundled, pinned (tls-pin alone), or a PEM file' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l tls-pin -d 'The SHA-256 of the server\'s public key, as tls-pin in the config file; can be repeated' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l timeout -d 'How long a server may be silent, as in "5 min"' -r
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l password-stdin -d 'Read the password from the first line of standard input; for one account'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -l maildir -d 'The account\'s Maildir; needed with a URL' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -l all -d 'Forget all of them'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -l maildir -d 'The account\'s Maildir; needed with a URL' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -l fetch-again -d 'Fetch again what is missing in the Maildir'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -l leave -d 'What is missing in the Maildir was removed on purpose'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -l came-back -d 'What came back, or may have, may be deleted from the server'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -l maildir -d 'The account\'s Maildir; needed with a URL' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -l maildir -d 'The account\'s Maildir; needed with a URL' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -l accept -d 'Record that the messages that are missing were removed on purpose'
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -l device -d 'Show a code that is entered on another device'
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -l remove -d 'Forget the sign-in'
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -f -a "set" -d 'Store an account\'s password in the system keyring: asks for it, or reads a line from a pipe'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and not __fish_seen_subcommand_from set remove" -f -a "remove" -d 'Remove an account\'s password from the system keyring'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand completions" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand completions" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand completions" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand completions" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand completions" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand completions" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand man" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand man" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand man" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand man" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand man" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand man" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand man" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c popfetch -n "__fish_popfetch_using_subcommand schema" -l config -d 'Read this config file instead of the usual one' -r -F
complete -c popfetch -n "__fish_popfetch_using_subcommand schema" -l format -d 'What to write on standard output' -r -f -a "text\t'Lines for people'
json\t'One JSON object a line'
paths\t'The path of each message'"
complete -c popfetch -n "__fish_popfetch_using_subcommand schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Wherever the output goes'
never\t'Nowhere'"
complete -c popfetch -n "__fish_popfetch_using_subcommand schema" -s 0 -l null -d 'End each path with NUL instead of a newline; implies --format paths'
complete -c popfetch -n "__fish_popfetch_using_subcommand schema" -s q -l quiet -d 'Print only what was asked for, and what goes wrong or needs a look'
complete -c popfetch -n "__fish_popfetch_using_subcommand schema" -s v -l verbose -d 'Say more; -vv shows what goes over the line, without passwords'
complete -c popfetch -n "__fish_popfetch_using_subcommand schema" -l no-progress -d 'Show no progress bars'
complete -c popfetch -n "__fish_popfetch_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'

# The accounts of the config file.
function __popfetch_accounts
    set -l words (commandline -opc)
    set -l config
    for i in (seq (count $words))
        switch $words[$i]
            case --config
                set -l next (math $i + 1)
                set -q words[$next]; and set config --config (string replace -r '^~' $HOME -- $words[$next])
            case '--config=*'
                set config --config (string replace -r '^--config=' '' -- $words[$i])
        end
    end
    popfetch $config account list --names 2>/dev/null
end

complete -c popfetch -n "__fish_popfetch_needs_command" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand fetch" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand check" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand watch" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand list" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from show" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from test" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand account; and __fish_seen_subcommand_from remove" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from show" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from mark-seen" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from forget" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from accept" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand state; and __fish_seen_subcommand_from move" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand verify" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand login" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from set" -f -a "(__popfetch_accounts)" -d Account
complete -c popfetch -n "__fish_popfetch_using_subcommand password; and __fish_seen_subcommand_from remove" -f -a "(__popfetch_accounts)" -d Account
