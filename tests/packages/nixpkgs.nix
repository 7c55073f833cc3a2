# SPDX-License-Identifier: GPL-2.0
# Replaces nixpkgs for packaging/nix: the build tools are this machine's, and the kernel's
# headers are in a folder.
{ headers }:

{
  stdenv.mkDerivation = attributes: derivation ({
    name = "${attributes.pname}-${attributes.version}";
    system = builtins.currentSystem;
    builder = "/bin/bash";
    PATH = "/usr/bin:/bin";
    args = [ "-ec" ''
      cp -r $src source
      chmod -R u+w source
      cd source
      eval "$buildPhase"
      eval "$installPhase"
    '' ];
  } // removeAttrs attributes [ "meta" "nativeBuildInputs" "buildInputs" ]);

  jansson = "/usr";
  util-linux.dev = "/usr";

  linux = {
    modDirVersion = "6.1.0-test";
    dev = headers;
    moduleBuildDependencies = [ ];
  };
}
