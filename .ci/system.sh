#!/usr/bin/env bash
# System libraries for a window (real or virtual) and for software OpenGL.
# Installs what is missing where root or sudo allows; otherwise prints the exact command and stops.
set -euo pipefail
packages=(
    python3-venv xvfb xauth libegl1 libgl1 libopengl0 libgl1-mesa-dri libglx-mesa0 libegl-mesa0
    libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 libxcb-cursor0 libxcb-icccm4 libxcb-image0
    libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1
    libusb-1.0-0 fonts-dejavu-core
)
command -v dpkg-query >/dev/null || { echo "not a Debian/Ubuntu machine: install the equivalents of: ${packages[*]}" >&2; exit 0; }
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
install="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" = 0 ]; then sudo=""
elif sudo -n true 2>/dev/null; then sudo="sudo"
else
    echo "Dreamdeck needs system libraries that this account cannot install. Run:" >&2
    echo "    sudo apt-get update && sudo $install" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
$sudo $install
