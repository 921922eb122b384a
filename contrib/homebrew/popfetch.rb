# For Homebrew on Linux. The url is that of the crate as `cargo package` has packed it, until popfetch is
# published somewhere; the sha256 comes with that.
class Popfetch < Formula
  desc "Brings new mail home from POP3 and IMAP accounts into a Maildir, exactly once"
  url "file:///var/tmp/popfetch-0.1.0.crate"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build
  depends_on :linux

  def install
    system "cargo", "build", "--release", "--locked"
    system "sh", "contrib/install", "target/release/popfetch", prefix
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/popfetch --version")
  end
end
