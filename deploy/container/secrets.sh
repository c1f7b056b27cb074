#!/bin/sh
# Makes what an installation in containers keeps secret, once, each in a file of its own below $1. What is there stays.
set -eu
umask 077
directory=${1:?the folder for secrets}
mkdir -p "$directory"
# others may open what they know the name of and may read
chmod 0711 "$directory"
make() {
  [ -s "$directory/$1" ] && return
  if [ -n "${3:-}" ]; then printf '%s\n' "$3" >"$directory/$1.new"; else openssl rand -hex 32 >"$directory/$1.new"; fi
  chmod "$2" "$directory/$1.new"
  mv "$directory/$1.new" "$directory/$1"
  echo "made $1"
}
# Vedette alone reads the first; the others are read by the services that they let in, under users of their own
make secret.key 0400
make admin.token 0444
make postgres 0444 "${POSTGRES_PASSWORD:-}"
make redis 0444 "${REDIS_PASSWORD:-}"
make grafana 0444
if [ ! -s "$directory/tls.crt" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj "/CN=vedette" \
    -addext "subjectAltName=DNS:localhost,DNS:vedette,DNS:ingest,DNS:analyse,DNS:triage,DNS:serve,IP:127.0.0.1" \
    -keyout "$directory/tls.key" -out "$directory/tls.crt.new" 2>/dev/null
  chmod 0444 "$directory/tls.crt.new"
  mv "$directory/tls.crt.new" "$directory/tls.crt"
  echo "made tls.crt"
fi
