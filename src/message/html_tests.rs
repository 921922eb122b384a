use super::*;
use proptest::prelude::*;

#[test]
fn paragraphs_and_line_breaks_stay_and_other_white_space_does_not() {
    for (html, text) in [
        ("<p>one\n  two</p><p>three", "one two\n\nthree\n"),
        ("a<br>b<br><br>c", "a\nb\n\nc\n"),
        ("<div>a</div><div>b</div>", "a\nb\n"),
        ("<b>bo</b>ld <i> it</i>", "bold it\n"),
        ("<h1>Title</h1>text", "Title\n\ntext\n"),
        (
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>",
            "a b\nc\n",
        ),
        ("<pre>a  b\n\n  c</pre>", "a  b\n\n  c\n"),
        ("", ""),
    ] {
        assert_eq!(text_of(html), text, "{html}");
    }
}

#[test]
fn links_become_footnotes_once_each_unless_their_text_is_their_address() {
    assert_eq!(
        text_of(
            "See <a href='https://a.example/x?a=1&amp;b=2'>this</a>, <a href=\"https://b.example\">that</a> \
             and <a href=https://a.example/x?a=1&amp;b=2>this again</a>."
        ),
        "See this[1], that[2] and this again[1].\n\n[1] https://a.example/x?a=1&b=2\n[2] https://b.example\n"
    );
    assert_eq!(
        text_of(
            "<a href='https://a.example/'>a.example</a> <a href=mailto:a@b.example>A@b.example</a>"
        ),
        "a.example A@b.example\n"
    );
    // The sentence says one thing, and the address another: the reader sees both.
    assert_eq!(
        text_of("<a href=https://evil.example>https://bank.example</a>"),
        "https://bank.example[1]\n\n[1] https://evil.example\n"
    );
}

#[test]
fn lists_and_quotations_are_marked() {
    assert_eq!(
        text_of("<ul><li>a<li>b<ol><li>c<li>d</ol></ul>end"),
        "* a\n* b\n 1. c\n 2. d\n\nend\n"
    );
    assert_eq!(
        text_of("I say<blockquote>you <p>said</blockquote>no"),
        "I say\n>\n> you\n>\n> said\n\nno\n"
    );
}

#[test]
fn scripts_styles_and_comments_are_not_text_and_images_are_what_is_said_of_them() {
    assert_eq!(
        text_of(
            "<html><head><title>t</title><style>a{}</style><script>if (a<b) x('</p>')</SCRIPT></head>\
             <body><!-- <p>no --><!doctype x>yes<img src=https://t.example/1.gif alt='a cat'>"
        ),
        "yes[a cat]\n"
    );
    assert_eq!(text_of("a<script>b"), "a\n");
    assert_eq!(text_of("a<!-- b"), "a\n");
}

#[test]
fn entities_are_characters_and_what_is_none_stays() {
    assert_eq!(
        text_of("&lt;b&gt; &eacute;&#8364;&#x20ac; &nbsp;x &unknown; & a&b; 1 < 2 <3"),
        "<b> é€€  x &unknown; & a&b; 1 < 2 <3\n"
    );
}

#[test]
fn whatever_is_nested_is_bounded() {
    for html in [
        "<blockquote>".repeat(100_000) + "x",
        "<ul><li>".repeat(100_000) + "x",
        "<div><b><a href=x>".repeat(100_000) + "x",
        "<".repeat(500_000),
        "<a href=\"".repeat(100_000),
        "&".repeat(500_000),
        "<!--".repeat(100_000),
        "<script>".repeat(100_000),
    ] {
        assert!(text_of(&html).len() < 2_000_000);
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(html in any::<String>()) {
        text_of(&html);
    }

    #[test]
    fn any_tags_are_survived(
        html in prop::collection::vec(prop::sample::select(vec![
            "<p>", "</p>", "<a href=é>", "</a>", "<li>", "<ol>", "</ol>", "<pre>", "</pre>", "é", " ",
            "<blockquote>", "</blockquote>", "&eacute;", "&é;", "<img alt=\"é\">", "<img alt=", "\n", "<br>",
        ]), 0..60),
    ) {
        text_of(&html.concat());
    }
}
