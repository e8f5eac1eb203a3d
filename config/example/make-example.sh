#!/bin/sh
# Makes what this example needs beside its TOML files: throw-away secrets (a KEK and a self-signed reader key for each
# Mandant, the URL of a broker on this machine, a CA with XTA clients) and the folders under state/. Everything lies in the
# folder of this script; what is there already stays as it is. Never use the secrets for real submissions.
set -eu
umask 077 # files 0600, folders 0700: for the daemon's user alone
cd "$(dirname "$0")"

made() { printf 'made  %s\n' "$PWD/$1"; }

folder() {
    if ! [ -d "$1" ]; then
        mkdir -p "$1"
        made "$1/"
    fi
}

folder secrets
for mandant in musterstadt beispielhausen; do
    if ! [ -e "secrets/$mandant.kek" ]; then
        openssl rand -base64 32 >"secrets/$mandant.kek"
        made "secrets/$mandant.kek"
    fi
    if ! [ -e "secrets/$mandant-leser.p12" ]; then
        openssl rand -hex 16 >"secrets/$mandant-leser.pass"
        openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN=Leser $mandant (Beispiel)/C=DE" \
            -addext "keyUsage=critical,keyEncipherment" -keyout secrets/leser.key -out secrets/leser.pem 2>/dev/null
        openssl pkcs12 -export -inkey secrets/leser.key -in secrets/leser.pem \
            -passout "file:secrets/$mandant-leser.pass" -out "secrets/$mandant-leser.p12"
        rm secrets/leser.key secrets/leser.pem
        made "secrets/$mandant-leser.p12 (password in $mandant-leser.pass)"
    fi
    if ! [ -e "secrets/$mandant-signatur.p12" ]; then
        openssl rand -hex 16 >"secrets/$mandant-signatur.pass"
        openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN=Signatur $mandant (Beispiel)/C=DE" \
            -addext "keyUsage=critical,digitalSignature,nonRepudiation" \
            -keyout secrets/signatur.key -out secrets/signatur.pem 2>/dev/null
        openssl pkcs12 -export -inkey secrets/signatur.key -in secrets/signatur.pem \
            -passout "file:secrets/$mandant-signatur.pass" -out "secrets/$mandant-signatur.p12"
        rm secrets/signatur.key secrets/signatur.pem
        made "secrets/$mandant-signatur.p12 (password in $mandant-signatur.pass)"
    fi
done
if ! [ -e secrets/tls.key ]; then # only for intermediary-osci.toml and intermediary-xta.toml
    openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN=localhost" \
        -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout secrets/tls.key -out secrets/tls.pem 2>/dev/null
    made "secrets/tls.key (certificate in tls.pem)"
fi
if ! [ -e secrets/xta-ca.pem ]; then # only for intermediary-xta.toml: whoever connects to us, and we to a post box
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
        -subj "/CN=XTA-Clients (Beispiel)/C=DE" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout secrets/xta-ca.key -out secrets/xta-ca.pem 2>/dev/null
    printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\nauthorityKeyIdentifier=keyid\n' >secrets/xta-client.ext
    for client in portal fachverfahren konto; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$client (Beispiel)/C=DE" \
            -keyout "secrets/xta-$client.key" -out secrets/xta-client.csr 2>/dev/null
        openssl x509 -req -days 365 -in secrets/xta-client.csr -CA secrets/xta-ca.pem -CAkey secrets/xta-ca.key \
            -CAcreateserial -extfile secrets/xta-client.ext -out "secrets/xta-$client.pem" 2>/dev/null
        made "secrets/xta-$client.key (certificate in xta-$client.pem, CA in xta-ca.pem)"
    done
    rm -f secrets/xta-client.csr secrets/xta-client.ext secrets/xta-ca.key secrets/xta-ca.srl
fi
if ! [ -e secrets/amqp.url ]; then
    printf 'amqp://guest:guest@127.0.0.1:5672/%%2F\n' >secrets/amqp.url
    made secrets/amqp.url
fi
if ! [ -e secrets/store.url ]; then # only for intermediary-postgresql.toml
    printf 'postgresql://intermediary@127.0.0.1:5432/intermediary\n' >secrets/store.url
    made secrets/store.url
fi

folder state/data     # the store
folder state/heads    # the second place of the audit heads; in earnest on another system
folder state/schemas  # what `intermediary schemas install` puts here
folder state/claims   # large submissions, only for intermediary-amqp.toml
for mandant in musterstadt beispielhausen; do
    folder "state/eingang/$mandant"    # the inbox: senders need rights to write here
    folder "state/quittungen/$mandant" # our answers: senders need rights to read here
    folder "state/eakte/$mandant"      # drop: the e-file needs rights to read and remove here
    folder "state/unterwegs/$mandant"  # what is on its way into the drop: for the daemon alone, on the same mount
done
