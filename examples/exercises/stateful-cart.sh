#!/usr/bin/env bash
# Stateful transactions: the state of shopping carts, rebuilt from the stream of their table.
set -euo pipefail
work=$(mktemp -d)
table=${TABLE:-Carts}
export AWS_DEFAULT_OUTPUT=json
trap 'aws dynamodb delete-table --table-name "$table" > /dev/null 2>&1 || true; rm -r "$work"' EXIT

# What makes the state: a change for a change, each upon what the one before left. It is kept in a file with the place in
# each shard up to which it was made, so that one who was away goes on where it was.
cat > "$work/carts.py" <<'PY'
import json
import pathlib
import sys

FILE = pathlib.Path(__file__).with_name("carts.json")
known = json.loads(FILE.read_text()) if FILE.exists() else {"carts": {}, "places": {}}


def line(item):
    return [item["cart"]["S"], item["product"]["S"]]


def apply(shard, record):
    change = record["dynamodb"]
    cart, product = line(change["Keys"])
    before, after = (change.get(image, {}).get("quantity", {}).get("N") for image in ("OldImage", "NewImage"))
    assert known["carts"].get(cart, {}).get(product) == before, "a change is missing"
    if after:
        known["carts"].setdefault(cart, {})[product] = after
    else:
        del known["carts"][cart][product]
    known["places"][shard] = change["SequenceNumber"]
    print(f"  {record['eventName']:6} {cart}: {product} {before or 'none'} -> {after or 'none'}")


def rows(lines):
    return "".join(f"  {cart}: {quantity} x {product}\n" for cart, product, quantity in sorted(lines))


match sys.argv[1:]:
    case ["place", shard]:
        print(known["places"].get(shard, ""))
    case ["apply", shard]:
        for record in json.load(sys.stdin)["Records"]:
            apply(shard, record)
        FILE.write_text(json.dumps(known))
    case ["show"]:
        print(rows((cart, *entry) for cart, entries in known["carts"].items() for entry in entries.items()), end="")
    case ["show-scan"]:
        print(rows((*line(item), item["quantity"]["N"]) for item in json.load(sys.stdin)["Items"]), end="")
PY

key() { printf '{"cart": {"S": "%s"}, "product": {"S": "%s"}}' "$1" "$2"; }

add() { # So many of a product into a cart.
  aws dynamodb update-item --table-name "$table" --key "$(key "$1" "$2")" --update-expression 'ADD quantity :n' \
    --expression-attribute-values "{\":n\": {\"N\": \"$3\"}}"
}

remove() { aws dynamodb delete-item --table-name "$table" --key "$(key "$1" "$2")"; }

follow() { # Makes in the state what is new in the stream, shard by shard, parents before their children.
  local shard place from iterator
  for shard in $(aws dynamodbstreams describe-stream --stream-arn "$stream" --query 'StreamDescription.Shards[].ShardId' \
      --output text); do
    place=$(python3 "$work/carts.py" place "$shard")
    from=(--shard-iterator-type TRIM_HORIZON)
    [[ -z $place ]] || from=(--shard-iterator-type AFTER_SEQUENCE_NUMBER --sequence-number "$place")
    iterator=$(aws dynamodbstreams get-shard-iterator --stream-arn "$stream" --shard-id "$shard" "${from[@]}" \
      --query ShardIterator --output text)
    aws dynamodbstreams get-records --shard-iterator "$iterator" > "$work/records"
    python3 "$work/carts.py" apply "$shard" < "$work/records"
  done
}

compare() { # The state that the changes made, beside the table.
  python3 "$work/carts.py" show > "$work/rebuilt"
  aws dynamodb scan --table-name "$table" --consistent-read > "$work/scan"
  python3 "$work/carts.py" show-scan < "$work/scan" > "$work/scanned"
  echo "$1"
  cat "$work/rebuilt"
  diff "$work/rebuilt" "$work/scanned" && echo "  which is what the scan shows"
}

echo "== The table, with a stream of its changes"
aws dynamodb create-table --table-name "$table" --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=cart,AttributeType=S AttributeName=product,AttributeType=S \
  --key-schema AttributeName=cart,KeyType=HASH AttributeName=product,KeyType=RANGE \
  --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES > /dev/null
aws dynamodb wait table-exists --table-name "$table"
stream=$(aws dynamodb describe-table --table-name "$table" --query Table.LatestStreamArn --output text)

echo "== Customers fill their carts, and think again"
add ann apples 2
add ann bread 1
add bob cheese 1
add ann apples 3
remove ann bread
follow
compare "The carts, as their changes make them:"

echo "== Others go on, while nobody looks. Bob pays: his cart is emptied and his order is there, both or neither"
add ann bread 1
add cyd dates 4
aws dynamodb transact-write-items --transact-items "[
  {\"Delete\": {\"TableName\": \"$table\", \"Key\": $(key bob cheese)}},
  {\"Put\": {\"TableName\": \"$table\", \"Item\": {\"cart\": {\"S\": \"bob/order-1\"}, \"product\": {\"S\": \"cheese\"},
    \"quantity\": {\"N\": \"1\"}}}}
]"
add ann apples -4
echo "== The one who keeps the state goes on where it was"
follow
compare "The carts, as all of their changes make them:"

echo "== All of it removed"
