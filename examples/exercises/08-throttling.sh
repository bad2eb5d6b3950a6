#!/usr/bin/env bash
# Exercise 8: a table that takes one write a second is over its capacity, and is given more by hand.
set -euo pipefail
work=$(mktemp -d)
table=${TABLE:-MyTable}
trap 'aws dynamodb delete-table --table-name "$table" > /dev/null 2>&1 || true; rm -r "$work"' EXIT

# The CLI asks again by itself when it is throttled, up to ten times. To see it, it asks once.
export AWS_MAX_ATTEMPTS=1

item() { # An item of so many kilobytes, names and values.
  python3 -c 'import json, sys; key, size = sys.argv[1], int(sys.argv[2]) * 1024
print(json.dumps({"ID": {"S": key}, "Name": {"S": "Sample".ljust(size - len(key) - 6, ".")}}))' "$1" "$2" > "$work/item"
}

put() { # Puts that item; prints what it took in units, or fails with what the table said.
  aws dynamodb put-item --table-name "$table" --item "file://$work/item" --return-consumed-capacity TOTAL \
    --query ConsumedCapacity.CapacityUnits --output text 2> "$work/error"
}

provision() { # Gives the table so many writes a second.
  aws dynamodb update-table --table-name "$table" \
    --provisioned-throughput "ReadCapacityUnits=5,WriteCapacityUnits=$1" > /dev/null
  aws dynamodb wait table-exists --table-name "$table"
  echo "it takes this many units a second now: $(aws dynamodb describe-table --table-name "$table" \
    --query Table.ProvisionedThroughput.WriteCapacityUnits --output text)"
}

echo "== A table with one unit of writing a second: an item of up to one kilobyte"
aws dynamodb create-table --table-name "$table" --billing-mode PROVISIONED \
  --provisioned-throughput ReadCapacityUnits=5,WriteCapacityUnits=1 \
  --attribute-definitions AttributeName=ID,AttributeType=S --key-schema AttributeName=ID,KeyType=HASH > /dev/null
aws dynamodb wait table-exists --table-name "$table"

echo "== The course's record takes one unit"
item 123 1
put

echo "== Many more. What was not used in the last five minutes is saved, 300 units here: so a burst is let through for a while"
taken=1
for n in $(seq 20); do
  item "large-$n" 60
  units=$(put) || break
  taken=$((taken + ${units%.*}))
  echo "put $n took $units units, all until now $taken"
done
cat "$work/error"
grep -q ProvisionedThroughputExceededException "$work/error"

echo "== More capacity, by hand"
provision 100
passed=0
for n in $(seq 10); do
  item "after-$n" 1
  # What the last put took too much is paid first.
  for _ in $(seq 60); do
    if put > /dev/null; then passed=$n; break; fi
    grep -q ProvisionedThroughputExceededException "$work/error"
    sleep 1
  done
  [[ $passed == "$n" ]]
done
echo "puts that passed: $passed"

echo "== All of it removed"
