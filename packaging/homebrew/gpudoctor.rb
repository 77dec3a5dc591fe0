# Made by packaging/make.py.
class Gpudoctor < Formula
  desc "Says whether PyTorch will run on this machine's GPUs, why not, how it knows"
  homepage "https://gpudoctor.invalid"
  url "https://gpudoctor.invalid/releases/download/v0.1.0/gpudoctor.pyz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "Apache-2.0"

  depends_on "python@3.13"

  def install
    libexec.install "gpudoctor.pyz"
    (bin/"gpudoctor").write <<~SH
      #!/bin/sh
      exec "#{Formula["python@3.13"].opt_bin}/python3.13" "#{libexec}/gpudoctor.pyz" "$@"
    SH
    chmod 0755, bin/"gpudoctor"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/gpudoctor --version")
    assert_match "GPU201", shell_output("#{bin}/gpudoctor explain GPU201")
  end
end
