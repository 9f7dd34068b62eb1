#!/bin/sh
# Gives each user of the broker its password; again and again the same.
set -eu
bin=${KAFKA_BIN:-/opt/kafka/bin}
secrets=${SECRETS:-/secrets}
for file in "$secrets"/*.password; do
    user=$(basename "$file" .password)
    [ "$user" != operator ] || continue
    "$bin/kafka-configs.sh" --bootstrap-server "${SOURDINE_HOST:-kafka}:9093" --command-config "$secrets/operator.properties" \
        --alter --entity-type users --entity-name "$user" --add-config "SCRAM-SHA-512=[password=$(cat "$file")]"
done
