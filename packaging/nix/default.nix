# SPDX-License-Identifier: GPL-2.0
# The driver for a kernel, and the tools.
{ pkgs ? import <nixpkgs> { }, kernel ? pkgs.linux }:

let
  version = "1.0.0";

  src = builtins.path {
    name = "ntsync-source";
    path = ../..;
    filter = path: type: !builtins.elem (baseNameOf path) [ ".git" "build" ];
  };

  headers = "${kernel.dev}/lib/modules/${kernel.modDirVersion}/build";
in
{
  ntsync = pkgs.stdenv.mkDerivation {
    pname = "ntsync";
    version = "${version}-${kernel.modDirVersion}";
    inherit src;
    nativeBuildInputs = kernel.moduleBuildDependencies;
    buildPhase = "make KDIR=${headers} modules";
    # To updates/, which is searched before kernel/; NixOS runs depmod.
    installPhase = "make KDIR=${headers} INSTALL_MOD_PATH=$out DEPMOD=true modules_install";
    meta.description = "Kernel driver for the synchronization objects of Windows NT";
  };

  ntsync-tools = pkgs.stdenv.mkDerivation {
    pname = "ntsync-tools";
    inherit version src;
    buildInputs = [ pkgs.jansson pkgs.util-linux.dev ];
    buildPhase = "make -C tools";
    installPhase = "make -C tools install PREFIX=$out";
    meta.description = "Tools for the synchronization objects of Windows NT";
  };
}
