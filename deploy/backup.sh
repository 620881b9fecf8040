#!/bin/sh
# A backup of the SQLite database into FOLDER while the service runs, one a day; older ones than KEEP_DAYS are removed
# once today's is complete, those of upgrades (install.sh: before-…) too. With PostgreSQL use pg_dump.
#   backup.sh FOLDER
set -eu
folder=$1
"$(dirname "$0")/../bin/sticky-calls" db backup "$folder/calls-$(date -u +%F).db" --replace
find "$folder" -maxdepth 2 \( -name 'calls-*.db' -o -name 'before-*.db' \) -mtime "+${KEEP_DAYS:-14}" -delete
