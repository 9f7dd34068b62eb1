#!/bin/sh
# Formats the storage the first time, with the super user in it, and starts the broker.
set -eu
bin=${KAFKA_BIN:-/opt/kafka/bin}
secrets=${SECRETS:-/secrets}
settings=${RUN:-/tmp}/server.properties
umask 077
{
    cat "$(dirname "$0")/server.properties"
    printf 'advertised.listeners=SASL_SSL://%s:9093\n' "${SOURDINE_HOST:-kafka}"
    printf 'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=%s username="operator" password="%s";\n' \
        'org.apache.kafka.common.security.scram.ScramLoginModule required' "$(cat "$secrets/operator.password")"
} >"$settings"
"$bin/kafka-storage.sh" format --ignore-formatted --cluster-id "$(cat "$secrets/cluster")" --config "$settings" \
    --add-scram "SCRAM-SHA-512=[name=operator,password=$(cat "$secrets/operator.password")]"
exec "$bin/kafka-server-start.sh" "$settings"
