#!/usr/bin/env bash
# Exercise 1: a stream calls a function, whose output is in the log.
set -euo pipefail
work=$(mktemp -d)
stream=${STREAM:-MyDataStream} function=${FUNCTION:-KinesisProcessor} failed=${FAILED:-exercise-1-failed}
role=arn:aws:iam::000000000000:role/any

package() { # The handler on standard input as a zip file.
  cat > "$work/lambda_function.py"
  (cd "$work" && rm -f code.zip && python3 -m zipfile -c code.zip lambda_function.py)
}

lines() { # The function's lines that match, without blanks at their ends.
  aws logs filter-log-events --log-group-name "/aws/lambda/$function" --filter-pattern "$1" \
    --query 'events[].message' --output text 2>/dev/null || true
}

until_so() { # Waits until the rest of the line prints something, a minute at most, and prints it.
  for _ in $(seq 60); do
    found=$("${@:2}")
    if [[ -n $found && $found != None ]]; then echo "$1"; echo "$found"; return; fi
    sleep 1
  done
  echo "this did not happen: $1" >&2
  exit 1
}

echo "== The stream"
aws kinesis create-stream --stream-name "$stream" --shard-count 1
aws kinesis wait stream-exists --stream-name "$stream"
aws s3 mb "s3://$failed"

echo "== The function, as the course has it: json.loads is given base64"
package <<'PY'
import json

def lambda_handler(event, context):
    for record in event['Records']:
        data = record['kinesis']['data']
        decoded_data = json.loads(data)
        print(f"Received data: {decoded_data}")
    return {
        'statusCode': 200,
        'body': json.dumps('Data processed')
    }
PY
aws lambda create-function --function-name "$function" --runtime python3.12 --handler lambda_function.lambda_handler \
  --role "$role" --zip-file "fileb://$work/code.zip" --query FunctionArn --output text
aws lambda wait function-active-v2 --function-name "$function"

echo "== The trigger. Without a bound the first record that fails would block its shard until it expires"
source=arn:aws:kinesis:us-east-1:000000000000:stream/$stream
mapping=$(aws lambda create-event-source-mapping --function-name "$function" --event-source-arn "$source" \
  --starting-position TRIM_HORIZON --maximum-retry-attempts 1 \
  --destination-config "OnFailure={Destination=arn:aws:s3:::$failed}" --query UUID --output text)
put() { # From a file, for version 2 of the CLI takes a text on the command line for base64.
  printf '%s' "$1" > "$work/data"
  aws kinesis put-record --stream-name "$stream" --partition-key 123 --data "fileb://$work/data" --query ShardId --output text
}
put 'Hello, World!'
until_so "The function fails:" lines JSONDecodeError
until_so "The record is given up, and lies in the bucket:" \
  aws s3api list-objects-v2 --bucket "$failed" --query 'Contents[].Key' --output text
aws lambda get-event-source-mapping --uuid "$mapping" --query LastProcessingResult --output text

echo "== The function mended: first base64, then whatever is in it"
package <<'PY'
import base64
import json

def lambda_handler(event, context):
    for record in event['Records']:
        data = base64.b64decode(record['kinesis']['data']).decode()
        print(f"Received data: {data}")
    return {
        'statusCode': 200,
        'body': json.dumps('Data processed')
    }
PY
aws lambda update-function-code --function-name "$function" --zip-file "fileb://$work/code.zip" --query CodeSha256 --output text
aws lambda wait function-updated-v2 --function-name "$function"
put 'Hello, again!'
until_so "The function's output:" lines '"Received data: Hello, again!"'
aws lambda get-event-source-mapping --uuid "$mapping" --query LastProcessingResult --output text

echo "== All of it removed"
aws lambda delete-event-source-mapping --uuid "$mapping" --query State --output text
aws lambda delete-function --function-name "$function"
aws kinesis delete-stream --stream-name "$stream"
aws s3 rb --force "s3://$failed" > /dev/null
rm -r "$work"
