# SPDX-License-Identifier: GPL-2.0
# For NixOS: imports = [ .../packaging/nix/nixos.nix ];
{ config, pkgs, ... }:

let
  packages = import ./. {
    inherit pkgs;
    inherit (config.boot.kernelPackages) kernel;
  };
in
{
  boot.extraModulePackages = [ packages.ntsync ];
  boot.kernelModules = [ "ntsync" ];
  environment.systemPackages = [ packages.ntsync-tools ];
}
