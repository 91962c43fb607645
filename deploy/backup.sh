#!/bin/sh
# Back up the store of hayflick, and keep the newest backups: backup.sh FOLDER [HOW_MANY]
# HAYFLICK_DATABASE names the store; the program is found in PATH.
set -eu
folder=${1:?usage: backup.sh FOLDER [HOW_MANY]}
keep=${2:-14}
umask 077
mkdir -p "$folder"
name="$folder/hayflick-$(date -u +%Y-%m-%dT%H%M).db"
hayflick db backup --force "$name"
# Only what this script has named, the newest first.
ls -1 "$folder" | grep -E '^hayflick-[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{4}\.db$' | sort -r |
tail -n "+$((keep + 1))" | while read -r old; do rm -- "$folder/$old"; done
