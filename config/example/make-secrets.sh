#!/bin/sh
# Makes throw-away secrets for this example, so that it lints and starts: a KEK and a self-signed reader key for each
# Mandant, and the URL of a broker on this machine. What is there already stays. Never use them for real submissions.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
for mandant in musterstadt beispielhausen; do
    [ -e "$mandant.kek" ] || openssl rand -base64 32 >"$mandant.kek"
    if ! [ -e "$mandant-leser.p12" ]; then
        openssl rand -hex 16 >"$mandant-leser.pass"
        openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN=Leser $mandant (Beispiel)/C=DE" \
            -addext "keyUsage=critical,keyEncipherment" -keyout leser.key -out leser.pem 2>/dev/null
        openssl pkcs12 -export -inkey leser.key -in leser.pem -passout "file:$mandant-leser.pass" \
            -out "$mandant-leser.p12"
        rm leser.key leser.pem
    fi
done
[ -e amqp.url ] || printf 'amqp://guest:guest@127.0.0.1:5672/%%2F\n' >amqp.url
