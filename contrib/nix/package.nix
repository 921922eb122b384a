# nix-build -E '(import <nixpkgs> {}).callPackage ./contrib/nix/package.nix {}'
{ lib, rustPlatform }:

let
  cargo = (lib.importTOML ../../Cargo.toml).package;
in
rustPlatform.buildRustPackage {
  pname = cargo.name;
  version = cargo.version;
  src = lib.cleanSource ../..;
  cargoLock.lockFile = ../../Cargo.lock;

  # They want Dovecot, a keyring and more; `.ci/run` is where they are run.
  doCheck = false;

  postInstall = ''
    mv $out/bin/popfetch .
    sh contrib/install ./popfetch $out
  '';

  meta = {
    inherit (cargo) description;
    license = with lib.licenses; [ mit asl20 ];
    mainProgram = "popfetch";
    platforms = lib.platforms.linux;
  };
}
