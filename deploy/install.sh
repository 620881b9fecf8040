#!/usr/bin/env bash
# Sticky Calls on a Debian or Ubuntu machine with systemd: install, upgrade, roll back, uninstall. Run it as root from a
# clone of the repository. Everything it does can be done again without harm; --dry-run shows it and does nothing.
#
#   deploy/install.sh install --domain voice.example.com --account AC… --number +14155550100 --dial +14155550199 \
#                             --token-file token.txt --email you@example.com
#   deploy/install.sh upgrade          the clone's version beside the old one, then a restart; back if it is not healthy
#   deploy/install.sh rollback         the version before; --restore FILE takes a backup back, too (calls since are lost)
#   deploy/install.sh uninstall        the program; --purge also configuration, database and backups
#
# Options of install:
#   --proxy nginx|caddy|none           what ends TLS (nginx)
#   --certificate F --certificate-key F   a certificate that you have; without it nginx's is fetched by certbot (--email)
#   --wheels FOLDER                    install Python packages from here, without the network (pip download makes it)
#   --dry-run                          with every command
#
# What it makes: /opt/sticky-calls (releases, current, previous) · /etc/sticky-calls (configuration, secrets) ·
# /var/lib/sticky-calls (database) · /var/backups/sticky-calls · units in /etc/systemd/system · /usr/local/bin/sticky-calls
set -euo pipefail

NAME=sticky-calls
OPT=/opt/$NAME ETC=/etc/$NAME STATE=/var/lib/$NAME BACKUPS=/var/backups/$NAME
UPGRADES=$BACKUPS/upgrades
UNITS=/etc/systemd/system
SOURCE=$(cd "$(dirname "$0")/.." && pwd)
HEALTHY_SECONDS=30
MOST_RESTARTS=2
KEPT_RELEASES=3
UNIT_FILES="$NAME.socket $NAME.service $NAME-backup.service $NAME-backup.timer $NAME-doctor.service $NAME-doctor.timer \
$NAME-maintenance.service $NAME-maintenance.timer"
TIMERS="$NAME-backup.timer $NAME-doctor.timer $NAME-maintenance.timer"

domain='' account='' number='' dial='' token_file='' email='' proxy=nginx certificate='' certificate_key='' wheels=''
restore='' dry_run='' purge='' kept=''

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

# Everything that changes the machine goes through here.
run() {
    if [ -n "$dry_run" ]; then say "would run: $*"; else "$@"; fi
}

# put MODE OWNER FILE: stdin becomes the file, if it is not so already.
put() {
    local draft
    draft=$(mktemp)
    cat > "$draft"
    if [ -f "$3" ] && cmp -s "$draft" "$3"; then
        rm "$draft"
    elif [ -n "$dry_run" ]; then
        say "would write: $3"
        rm "$draft"
    else
        say "writes $3"
        install -D -m "$1" -o "${2%:*}" -g "${2#*:}" "$draft" "$3"
        rm "$draft"
    fi
}

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) dry_run=yes; shift; continue ;;
            --purge) purge=yes; shift; continue ;;
        esac
        [ $# -ge 2 ] || fail "$1 needs a value, or is unknown; see the first lines of this file"
        case $1 in
            --domain) domain=$2 ;;
            --account) account=$2 ;;
            --number) number=$2 ;;
            --dial) dial=$2 ;;
            --token-file) token_file=$2 ;;
            --email) email=$2 ;;
            --proxy) proxy=$2 ;;
            --certificate) certificate=$2 ;;
            --certificate-key) certificate_key=$2 ;;
            --wheels) wheels=$(cd "$2" && pwd) ;;
            --restore) restore=$(realpath "$2") ;;
            *) fail "$1 is unknown; see the first lines of this file" ;;
        esac
        shift 2
    done
}

check_options() {
    case $proxy in nginx | caddy | none) ;; *) fail "--proxy is nginx, caddy or none" ;; esac
    [[ $domain =~ ^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$ ]] || fail "--domain: the name that Twilio is to call"
    check_certificate
    # What is configured already is not asked for again.
    [ -f "$ETC/config.yaml" ] && return
    [[ $account =~ ^AC[0-9a-fA-F]{32}$ ]] || fail "--account: the account SID from Twilio's console (AC…)"
    [[ $number =~ ^\+[1-9][0-9]{6,14}$ ]] || fail "--number: your Twilio number (+14155550100)"
    [[ $dial =~ ^\+[1-9][0-9]{6,14}$ ]] || fail "--dial: the number that takes the calls (+14155550199)"
    [ -s "$token_file" ] || fail "--token-file: a file that holds the account's auth token"
}

# nginx would say so, but only when the rest is done.
check_certificate() {
    local file
    [ -n "$certificate$certificate_key" ] || return 0
    [ "$proxy" = nginx ] || fail "--certificate is for nginx"
    [ -n "$certificate" ] && [ -n "$certificate_key" ] || fail "--certificate and --certificate-key: both, or none"
    for file in "$certificate" "$certificate_key"; do
        [ -r "$file" ] || fail "$file cannot be read"
        case $file in *[\"\$\\\#\&]*) fail "$file: give it a name without the characters \" \$ \\ # &" ;; esac
    done
    # Links stay: who renews a certificate puts another file behind them.
    certificate=$(realpath -s "$certificate") certificate_key=$(realpath -s "$certificate_key")
}

check_machine() {
    [ "$(id -u)" = 0 ] || [ -n "$dry_run" ] || fail "run this as root"
    command -v apt-get > /dev/null || fail "this is for Debian and Ubuntu"
    [ -f "$SOURCE/pyproject.toml" ] || fail "run this from a clone of the repository"
    local python=${PYTHON:-python3}
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null ||
        [ -z "$(command -v "$python")" ] || fail "Python 3.11 or newer is needed (Debian 12, Ubuntu 24.04)"
}

need_packages() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    run apt-get update -q
    run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

packages() {
    need_packages python3 python3-venv ca-certificates curl
    case $proxy in
        nginx)
            command -v nginx > /dev/null || need_packages nginx
            [ -n "$certificate" ] || need_packages certbot
            ;;
        caddy) need_packages caddy ;;
    esac
}

make_user() {
    getent passwd "$NAME" > /dev/null ||
        run useradd --system --user-group --home-dir "$STATE" --shell /usr/sbin/nologin "$NAME"
    run install -d -m 0755 "$OPT" "$OPT/releases"
    run install -d -m 0750 -o root -g "$NAME" "$ETC"
    run install -d -m 0700 -o "$NAME" -g "$NAME" "$STATE" "$BACKUPS"
}

# What the configuration below names, and Prometheus is to show.
make_secrets() {
    [ -f "$ETC/pepper" ] || head -c 32 /dev/urandom | base64 | put 0640 "root:$NAME" "$ETC/pepper"
    [ -f "$ETC/metrics-token" ] || head -c 24 /dev/urandom | base64 | put 0640 "root:$NAME" "$ETC/metrics-token"
    [ -f "$ETC/twilio-auth-tokens" ] || put 0640 "root:$NAME" "$ETC/twilio-auth-tokens" < /dev/null
}

configure() {
    if [ -s "$token_file" ]; then put 0640 "root:$NAME" "$ETC/twilio-auth-tokens" < "$token_file"; fi
    make_secrets
    if [ -f "$ETC/config.yaml" ]; then
        [ -z "$account$number$dial" ] || say "$ETC/config.yaml stays as it is; --account, --number, --dial do nothing"
        number=''
        return
    fi
    put 0640 "root:$NAME" "$ETC/config.yaml" << YAML
# What is in effect: sticky-calls check-config --effective. Every setting: $OPT/current/config.example.yaml
# After a change:    $NAME check-config, then systemctl reload $NAME
#                    (for another database or address: restart; calls wait a second or two, none is lost)
database:
  url: sqlite:///$STATE/calls.db
server:
  bind: unix:/run/$NAME/http.sock
security:
  pepper_file: pepper
metrics:
  token_file: metrics-token
twilio:
  public_url: https://$domain
  accounts:
    - sid: $account
      auth_tokens_file: twilio-auth-tokens
lines:
  - account: $account
    number: "$number"
    destination: {dial: "$dial"}
YAML
}

# The clone's version, in a folder of its own: what runs is not touched, and has the processors and the disk first.
build_release() {
    renice -n 10 -p $$ > /dev/null || true
    ionice -c 3 -p $$ || true
    local stamp
    stamp=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' "$SOURCE/adapter/__init__.py")-$(date -u +%Y%m%dT%H%M%SZ)
    release=$OPT/releases/$stamp
    say "builds $release"
    [ -z "$dry_run" ] || { say "would build: a venv from deploy/requirements.txt (hashes checked), and the package"; return; }
    local pip=(-q --disable-pip-version-check --no-cache-dir)
    [ -z "$wheels" ] || pip+=(--no-index --find-links "$wheels")
    local work
    work=$(mktemp -d)
    # A release that was not finished is none.
    trap 'rm -rf "$release" "$work"' ERR
    "${PYTHON:-python3}" -m venv "$release"
    "$release/bin/pip" install "${pip[@]}" --require-hashes -r "$SOURCE/deploy/requirements.txt"
    "${PYTHON:-python3}" -m venv "$work/builder"
    "$work/builder/bin/pip" install "${pip[@]}" --require-hashes -r "$SOURCE/deploy/requirements-build.txt"
    cp -r "$SOURCE/adapter" "$SOURCE/pyproject.toml" "$SOURCE/README.md" "$SOURCE/LICENSE" "$work/"
    "$work/builder/bin/pip" wheel -q --no-deps --no-build-isolation --no-index -w "$work/wheels" "$work"
    "$release/bin/pip" install -q --no-deps --no-index "$work"/wheels/*.whl
    cp -r "$SOURCE/deploy" "$SOURCE/config.example.yaml" "$release/"
    "$release/bin/python" -m compileall -q "$release/lib" > /dev/null || true
    trap - ERR
    rm -rf "$work"
}

# The name `current` changes in one step; what it was is `previous`.
switch_to() {
    local before
    before=$(readlink "$OPT/current" || true)
    ln -sfn "$1" "$OPT/current.new"
    mv -T "$OPT/current.new" "$OPT/current"
    [ -z "$before" ] || [ "$before" = "$1" ] || ln -sfn "$before" "$OPT/previous"
}

remove_old_releases() {
    local folder kept=0
    for folder in $(find "$OPT/releases" -mindepth 1 -maxdepth 1 -type d | sort -r); do
        kept=$((kept + 1))
        [ "$kept" -le "$KEPT_RELEASES" ] && continue
        [ "$folder" = "$(readlink "$OPT/current")" ] || [ "$folder" = "$(readlink "$OPT/previous")" ] || rm -rf "$folder"
    done
}

write_command() {
    put 0755 root:root /usr/local/bin/$NAME << SH
#!/bin/sh
# The command under the service's own user and configuration.
export ADAPTER_CONFIG=\${ADAPTER_CONFIG:-$ETC/config.yaml}
if [ "\$(id -u)" = 0 ]; then exec runuser -u $NAME -- $OPT/current/bin/$NAME "\$@"; fi
exec $OPT/current/bin/$NAME "\$@"
SH
}

write_units() {
    local unit group=www-data
    [ "$proxy" != caddy ] || group=caddy
    getent group "$group" > /dev/null || group=$NAME
    for unit in $UNIT_FILES; do
        sed "s/^SocketGroup=.*/SocketGroup=$group/" "$SOURCE/deploy/systemd/$unit" | put 0644 root:root "$UNITS/$unit"
    done
    # The journal keeps what the service says: for a month, and no more than a gigabyte of it.
    put 0644 root:root /etc/systemd/journald.conf.d/$NAME.conf << 'CONF'
[Journal]
SystemMaxUse=1G
MaxRetentionSec=1month
CONF
    run systemctl daemon-reload
    run systemctl try-restart systemd-journald
    # shellcheck disable=SC2086 # a list of names
    run systemctl enable --now $NAME.socket $TIMERS
    run systemctl enable $NAME.service
}

write_proxy() {
    case $proxy in
        nginx) write_nginx ;;
        caddy) write_caddy ;;
    esac
}

# keep FILE…: as they are, for `bring_back`.
keep() {
    local file
    kept=$(mktemp -d)
    for file in "$@"; do [ ! -f "$file" ] || cp -a "$file" "$kept/"; done
}

# What a proxy does not take would keep it from its next start, with all its sites.
bring_back() {
    local file
    for file in "$@"; do
        rm -f "$file"
        [ ! -f "$kept/${file##*/}" ] || cp -a "$kept/${file##*/}" "$file"
    done
}

# The site in a file of its own, and one line in Caddy's: other sites there stay.
write_caddy() {
    local main=/etc/caddy/Caddyfile site=/etc/caddy/conf.d/$NAME.caddy line="import conf.d/$NAME.caddy"
    keep "$main" "$site"
    caddyfile | sed '/^{$/,/^}$/d' | put 0644 root:root "$site"
    if is_nobodys "$main"; then
        [ ! -f "$main" ] || run cp -a "$main" "$main.before-$NAME"
        { caddyfile | sed -n '/^{$/,/^}$/p'; printf '\n%s\n' "$line"; } | put 0644 root:root "$main"
    elif ! grep -qxF "$line" "$main"; then
        { cat "$main"; printf '\n%s\n' "$line"; } | put 0644 root:root "$main"
        say "$main keeps its sites; give it the timeouts that deploy/Caddyfile has, against slow connections"
    fi
    if ! run caddy adapt --adapter caddyfile --config "$main" > "$kept/adapted"; then
        bring_back "$main" "$site"
        fail "Caddy does not take $site (why is above); its configuration is as it was"
    fi
    rm -rf "$kept"
    run systemctl reload-or-restart caddy
}

# Is Caddy's file not there, an older installation's, or the package's?
is_nobodys() {
    [ -f "$1" ] || return 0
    head -n 1 "$1" | grep -q '^# Caddy before the service' ||
        dpkg-query -W -f '${Conffiles}\n' caddy 2> /dev/null | grep -qxF " $1 $(md5sum < "$1" | cut -d ' ' -f 1)"
}

# In the words of this machine's Caddy: until 2.6 (Debian 12, Ubuntu 24.04) buffers have other names, and one size.
caddyfile() {
    local older=''
    case $(caddy version 2> /dev/null) in
        2.[0-6].* | v2.[0-6].*)
            older='s/request_buffers .*/buffer_requests/
                s/response_buffers \(.*\)/buffer_responses\n\t\tmax_buffer_size \1/'
            ;;
    esac
    sed -e "s/{\$DOMAIN}/$domain/" -e "$older" "$SOURCE/deploy/Caddyfile"
}

write_nginx() {
    if [ -z "$certificate" ]; then
        certificate=/etc/letsencrypt/live/$domain/fullchain.pem
        certificate_key=/etc/letsencrypt/live/$domain/privkey.pem
        [ -f "$certificate" ] || [ -n "$dry_run" ] || [ -n "$email" ] || fail "--email (for certbot), or --certificate"
        [ -f "$certificate" ] || run certbot certonly --non-interactive --agree-tos --webroot -w /var/www/html \
            -d "$domain" -m "$email" --deploy-hook "systemctl reload nginx"
    fi
    local site=/etc/nginx/conf.d/$NAME.conf limits=/etc/nginx/modules-enabled/60-$NAME.conf without_ipv6=''
    keep "$site" "$limits"
    [ -e /proc/net/if_inet6 ] || without_ipv6='/\[::\]/d;'
    sed -e "${without_ipv6}s#CERTIFICATE_KEY#$certificate_key#; s#CERTIFICATE#$certificate#; s#DOMAIN#$domain#" \
        "$SOURCE/deploy/nginx.conf" | put 0644 root:root "$site"
    # Debian's 768 for each process are used up by some hundred callers' slow connections.
    run sed -i 's/worker_connections 768;/worker_connections 8192;/' /etc/nginx/nginx.conf
    put 0644 root:root "$limits" << 'CONF'
worker_rlimit_nofile 32768;
CONF
    if ! run nginx -t -q; then
        bring_back "$site" "$limits"
        fail "nginx does not take $site (why is above); its configuration is as it was"
    fi
    rm -rf "$kept"
    run systemctl enable nginx
    run systemctl reload-or-restart nginx
}

# is_healthy [SOCKET]
is_healthy() {
    local socket=${1:-/run/$NAME/http.sock}
    curl -fsS -o /dev/null --max-time 2 --unix-socket "$socket" http://localhost/v1/health 2> /dev/null
}

# comes_up RELEASE: does it serve at all, with this configuration, beside the one that runs, on a database of nobody?
comes_up() {
    local folder pid healthy=1
    folder=$(mktemp -d)
    chown "$NAME:" "$folder"
    runuser -u "$NAME" -- env ADAPTER_CONFIG="$ETC/config.yaml" ADAPTER_DATABASE__URL="sqlite:///$folder/calls.db" \
        ADAPTER_SERVER__BIND="unix:$folder/http.sock" ADAPTER_SERVER__WORKERS=1 ADAPTER_LOGGING__LEVEL=error \
        "$1/bin/$NAME" serve &
    pid=$!
    local deadline=$((SECONDS + HEALTHY_SECONDS))
    while [ $SECONDS -lt $deadline ] && kill -0 "$pid" 2> /dev/null; do
        if is_healthy "$folder/http.sock"; then
            healthy=0
            break
        fi
        sleep 0.2
    done
    kill "$pid" 2> /dev/null || true
    wait "$pid" || true
    rm -rf "$folder"
    return "$healthy"
}

# restart: 0 when the service answers and reaches its database afterwards. Calls wait at the socket meanwhile, so one
# that ends by itself again and again is not given the rest of the time.
restart() {
    systemctl reset-failed $NAME.service 2> /dev/null || true
    systemctl restart $NAME.service || return 1
    local deadline=$((SECONDS + HEALTHY_SECONDS))
    until is_healthy; do
        [ $SECONDS -lt $deadline ] || return 1
        [ "$(systemctl show --property=NRestarts --value $NAME.service)" -le $MOST_RESTARTS ] || return 1
        sleep 0.2
    done
}

# as_service RELEASE ARGUMENTS…: that version's command under the service's own user and configuration.
as_service() {
    runuser -u "$NAME" -- env ADAPTER_CONFIG="$ETC/config.yaml" "$1/bin/$NAME" "${@:2}"
}

# The configuration says which database is in use: after a move to PostgreSQL the old file is still there.
back_up() {
    local settings url
    settings=$(as_service "$OPT/current" check-config --effective) || return 1
    url=$(sed -n '/^database:/,/^[^ ]*:$/s/^  url: //p' <<< "$settings")
    case $url in
        sqlite:///*) [ -f "${url#sqlite:///}" ] || return 0 ;;
        *)
            say "the database is PostgreSQL, which is not backed up here (pg_dump)"
            return 0
            ;;
    esac
    # In a folder of its own: the nightly ones are looked at by their latest.
    install -d -m 0700 -o "$NAME" -g "$NAME" "$UPGRADES" || return 1
    as_service "$OPT/current" db backup "$UPGRADES/before-$(date -u +%Y%m%dT%H%M%SZ).db"
}

install_all() {
    check_machine
    check_options
    packages
    make_user
    configure
    if [ -e "$OPT/current/bin/$NAME" ]; then
        say "$(readlink "$OPT/current") is installed; \`upgrade\` brings the clone's version"
    else
        build_release
        [ -n "$dry_run" ] || switch_to "$release"
    fi
    write_command
    run env ADAPTER_CONFIG="$ETC/config.yaml" /usr/local/bin/$NAME check-config
    write_units
    write_proxy
    [ -n "$dry_run" ] || is_healthy || restart || fail "the service is not healthy: journalctl -u $NAME"
    [ -n "$dry_run" ] || check_address
    hints
}

# What is configured stays when a second run names another domain.
check_address() {
    local url
    url=$(/usr/local/bin/$NAME check-config --effective 2> /dev/null | sed -n 's/^  public_url: //p')
    case ${url,,}/ in "https://${domain,,}"[/:]*) return ;; esac
    say "twilio.public_url is $url, but the proxy answers for $domain: make both the same ($ETC/config.yaml)"
}

hints() {
    cat << TEXT

Sticky Calls is installed. Next:
  firewall    let TCP 443 in, and 80 for certificates (ufw allow 443/tcp; ufw allow 80/tcp); nothing else is needed
  number      $NAME numbers point ${number:-NUMBER} --dry-run     (then without --dry-run)
  look        $NAME doctor
  log         journalctl -u $NAME -f
  settings    $ETC/config.yaml, then: systemctl reload $NAME
TEXT
}

upgrade() {
    check_machine
    [ -e "$OPT/current" ] || [ -n "$dry_run" ] || fail "nothing is installed; run \`install\` first"
    build_release
    if [ -n "$dry_run" ]; then
        say "would back up the database, check the configuration with the new version, switch $OPT/current, restart"
        return
    fi
    local before previous
    before=$(readlink "$OPT/current")
    previous=$(readlink "$OPT/previous" || true)
    if ! as_service "$release" check-config; then
        rm -rf "$release"
        fail "the new version cannot use the configuration; nothing was changed"
    fi
    if ! comes_up "$release"; then
        rm -rf "$release"
        fail "the new version does not come up (its words are above); nothing was changed"
    fi
    if ! back_up; then
        rm -rf "$release"
        fail "the database cannot be backed up (why is above); nothing was changed"
    fi
    switch_to "$release"
    write_new_units "$release"
    if restart; then
        remove_old_releases
        say "upgraded to $release"
        return
    fi
    say "the new version is not healthy; going back to $before"
    switch_to "$before"
    write_new_units "$before"
    # `rollback` goes to the version before this one, as ever, and not to the one that does not work.
    if [ -n "$previous" ]; then ln -sfn "$previous" "$OPT/previous"; else rm -f "$OPT/previous"; fi
    restart || fail "the old version is not healthy either: journalctl -u $NAME; a backup is in $UPGRADES"
    fail "the upgrade was taken back; what was wrong: journalctl -u $NAME. The new version is still in $release"
}

# The units of a release, with this machine's group; the socket stays open, so a change of it needs a `systemctl restart`.
write_new_units() {
    local unit group timers=()
    group=$(sed -n 's/^SocketGroup=//p' "$UNITS/$NAME.socket")
    for unit in $UNIT_FILES; do
        # An older release has fewer of them.
        [ -f "$1/deploy/systemd/$unit" ] || continue
        # One that is there already may have been disabled: with PostgreSQL, the backup's.
        case $unit in *.timer) [ -f "$UNITS/$unit" ] || timers+=("$unit") ;; esac
        sed "s/^SocketGroup=.*/SocketGroup=$group/" "$1/deploy/systemd/$unit" | put 0644 root:root "$UNITS/$unit"
    done
    systemctl daemon-reload
    [ ${#timers[@]} -eq 0 ] || systemctl enable --now "${timers[@]}"
}

# put_back RELEASE: the backup in the database's place, and the service stopped; or what runs goes on.
put_back() {
    as_service "$1" db drill "$restore" --work-folder "$STATE" ||
        fail "$restore cannot be restored (why is above); nothing was changed"
    # However this ends, callers are answered afterwards.
    trap 'systemctl start $NAME.socket $NAME.service' EXIT
    # The socket first: it would start the service for the next call.
    systemctl stop $NAME.socket $NAME.service
    as_service "$1" db restore "$restore" || fail "$restore cannot be restored (why is above); what ran starts again"
}

rollback() {
    check_machine
    local before now
    now=$(readlink "$OPT/current")
    before=$(readlink "$OPT/previous" || true)
    [ -d "${before:-/nowhere}" ] || fail "there is no version to go back to"
    if [ -n "$dry_run" ]; then
        say "would go back to $before${restore:+ and restore $restore}"
        return
    fi
    # The old version does not touch a database that a newer one has changed.
    if [ -z "$restore" ] && ! as_service "$before" db check > /dev/null; then
        fail "the old version cannot use the database as it is now; --restore $UPGRADES/before-….db (calls since are lost)"
    fi
    [ -z "$restore" ] || put_back "$before"
    switch_to "$before"
    write_new_units "$before"
    [ -z "$restore" ] || systemctl start $NAME.socket
    if restart; then
        say "back at $before"
        return
    fi
    say "the old version is not healthy; going on with $now${restore:+ and what was restored}"
    switch_to "$now"
    write_new_units "$now"
    restart || fail "$now is not healthy either: journalctl -u $NAME"
    fail "the rollback was taken back; what was wrong: journalctl -u $NAME"
}

uninstall() {
    check_machine
    local unit
    # shellcheck disable=SC2086 # a list of names
    run systemctl disable --now $UNIT_FILES || true
    for unit in $UNIT_FILES; do run rm -f "$UNITS/$unit"; done
    run rm -f /usr/local/bin/$NAME /etc/systemd/journald.conf.d/$NAME.conf
    if [ -f /etc/nginx/conf.d/$NAME.conf ]; then
        run rm -f /etc/nginx/conf.d/$NAME.conf /etc/nginx/modules-enabled/60-$NAME.conf
        run systemctl reload nginx || true
    fi
    if [ -f /etc/caddy/conf.d/$NAME.caddy ]; then
        run rm -f /etc/caddy/conf.d/$NAME.caddy
        run sed -i "\\#^import conf.d/$NAME.caddy\$#d" /etc/caddy/Caddyfile
        run systemctl reload caddy || true
    fi
    run systemctl daemon-reload
    run rm -rf "$OPT" "/run/$NAME"
    run rm -f /var/lib/systemd/timers/stamp-$NAME-*.timer
    if [ -n "$purge" ]; then
        run rm -rf "$ETC" "$STATE" "$BACKUPS"
        ! getent passwd "$NAME" > /dev/null || run userdel "$NAME"
        say "nothing is left."
    else
        say "configuration, database and backups stay: $ETC $STATE $BACKUPS (--purge removes them, too)"
    fi
}

command=${1:-}
[ $# -eq 0 ] || shift
read_options "$@"
case $command in
    install) install_all ;;
    upgrade) upgrade ;;
    rollback) rollback ;;
    uninstall) uninstall ;;
    *) sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
esac
