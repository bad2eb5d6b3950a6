#!/usr/bin/env bash
# Exercise 9: two functions on one stream, each with a pipe of its own.
set -euo pipefail
work=$(mktemp -d)
stream=${STREAM:-FanOut} role=arn:aws:iam::000000000000:role/any

cat > "$work/lambda_function.py" <<'PY'
import base64
import os

def lambda_handler(event, context):
    for record in event['Records']:
        data = base64.b64decode(record['kinesis']['data']).decode()
        print(f"{os.environ['ASPECT']}: {data}")
PY
(cd "$work" && python3 -m zipfile -c code.zip lambda_function.py)

echo "== The stream"
aws kinesis create-stream --stream-name "$stream" --shard-count 2
aws kinesis wait stream-exists --stream-name "$stream"
arn=arn:aws:kinesis:us-east-1:000000000000:stream/$stream
mappings=()
for aspect in orders payments; do
  echo "== The function for $aspect, and its consumer"
  aws lambda create-function --function-name "$stream-$aspect" --runtime python3.12 \
    --handler lambda_function.lambda_handler --role "$role" --zip-file "fileb://$work/code.zip" \
    --environment "Variables={ASPECT=$aspect}" --query FunctionArn --output text
  aws lambda wait function-active-v2 --function-name "$stream-$aspect"
  consumer=$(aws kinesis register-stream-consumer --stream-arn "$arn" --consumer-name "$aspect" \
    --query Consumer.ConsumerARN --output text)
  mappings+=("$(aws lambda create-event-source-mapping --function-name "$stream-$aspect" \
    --event-source-arn "$consumer" --starting-position TRIM_HORIZON --query UUID --output text)")
done

echo "== Ten records from many producers"
for n in $(seq 10); do
  printf 'record %02d' "$n" > "$work/data"
  aws kinesis put-record --stream-name "$stream" --partition-key "producer-$n" --data "fileb://$work/data" > /dev/null
done

for aspect in orders payments; do
  for _ in $(seq 60); do
    lines=$(aws logs filter-log-events --log-group-name "/aws/lambda/$stream-$aspect" --filter-pattern "\"$aspect: record\"" \
      --query 'events[].message' --output text 2>/dev/null | grep -o "$aspect: record [0-9]*" | sort -u || true)
    [[ $(grep -c . <<< "$lines") == 10 ]] && break
    sleep 1
  done
  echo "== The log of $aspect"
  echo "$lines"
  [[ $(grep -c . <<< "$lines") == 10 ]]
done

echo "== All of it removed"
for mapping in "${mappings[@]}"; do aws lambda delete-event-source-mapping --uuid "$mapping" --query State --output text; done
for aspect in orders payments; do aws lambda delete-function --function-name "$stream-$aspect"; done
aws kinesis delete-stream --stream-name "$stream" --enforce-consumer-deletion
rm -r "$work"
