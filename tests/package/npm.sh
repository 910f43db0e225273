#!/usr/bin/env bash
# The package for Node.js as a user has it: made by npm pack, installed into an empty project without a network, and used from
# there by both kinds of modules.
#
#   npm.sh BUILD           BUILD is a build folder of a preset without debug information, as packages and release, with beltwayd
set -euo pipefail
build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/beltway-npm-XXXXXX)
daemon=
finish() {
  [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
fail() { echo "npm.sh: $*" >&2; exit 1; }
# Nothing of the user's settings, and a cache that is empty. Nothing listens at the registry's address: a download fails at once.
mkdir -m 700 "$work/run" "$work/home" "$work/project"
node=$(command -v node)
as_user() {
  env -i HOME="$work/home" PATH="$(dirname "$node"):/usr/bin:/bin" XDG_RUNTIME_DIR="$work/run" BELTWAY_DAEMON="$build/bin/beltwayd" \
    npm_config_registry=http://127.0.0.1:1/ npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false "$@"
}

rm -f "$build"/beltway-*.tgz
cmake --build "$build" --target beltway_npm >"$work/pack.log" 2>&1 || { cat "$work/pack.log" >&2; fail "the target beltway_npm"; }
version=$(sed -n 's/.*k_version = "\(.*\)".*/\1/p' "$source/include/beltway/version.hpp")
tarball=$work/beltway-$version.tgz
cp "$build/beltway-$version.tgz" "$tarball" || fail "no package of version $version: $(ls "$build"/*.tgz)"

# The binary lies where tools that know prebuildify's layout look.
binary=prebuilds/linux-$(node -p process.arch)/node.napi.glibc.node
tar -tzf "$tarball" | sort >"$work/files"
for file in package.json index.js index.mjs index.d.ts README.md "$binary"; do
  grep -qx "package/$file" "$work/files" || fail "the package lacks $file"
done
[ "$(grep -c '\.node$' "$work/files")" = 1 ] || fail "the package has several binaries"
mkdir "$work/unpacked"
tar -xzf "$tarball" -C "$work/unpacked"
for known in "$source" "$build" "${HOME:-}/" "$(npm config get registry)" registry.npmjs.org; do
  [ "$known" != / ] || continue
  if grep -rlaF -- "$known" "$work/unpacked"; then fail "the files above name \"$known\""; fi
done
# The installation of a package with scripts runs them.
node -e 'const p = require(process.argv[1]); process.exit(p.scripts || p.dependencies || p.optionalDependencies ? 1 : 0)' \
  "$work/unpacked/package/package.json" || fail "package.json has scripts or dependencies"

cd "$work/project"
echo '{"name": "user", "version": "1.0.0", "private": true}' >package.json
as_user npm install --offline "../beltway-$version.tgz" >"$work/install.log" 2>&1 || { cat "$work/install.log" >&2; fail "npm install"; }
rm -rf "$tarball" "$work/unpacked"
use='async function use(name) {
  const link = await beltway.connect();
  const queue = await link.declare(name, { groups: ["workers"] });
  await (await queue.producer()).publish("one order");
  const message = await (await queue.consumer({ group: "workers" })).receive();
  message.ack();
  console.log(message.text(), (await link.ping()).pid);
  link.close();
}'
printf 'const beltway = require("beltway");\n%s\nuse("by-require");\n' "$use" >user.cjs
printf 'import * as beltway from "beltway";\n%s\nawait use("by-import");\n' "$use" >user.mjs
for program in user.cjs user.mjs; do
  as_user node "$program" >"$work/out" || fail "$program"
  read -r one order daemon <"$work/out"
  [ "$one $order" = "one order" ] || fail "$program printed: $(cat "$work/out")"
  [ "$(readlink "/proc/$daemon/exe")" = "$build/bin/beltwayd" ] || fail "$program met another daemon"
done
kill "$daemon"
for _ in $(seq 400); do [ -e "/proc/$daemon" ] || break; sleep 0.05; done
[ ! -e "/proc/$daemon" ] || fail "the daemon does not end"
daemon=
as_user npm uninstall --offline beltway >"$work/uninstall.log" 2>&1 || { cat "$work/uninstall.log" >&2; fail "npm uninstall"; }
[ ! -e node_modules/beltway ] || fail "npm uninstall leaves the package"
echo "the npm package was made, installed without a network, used and removed"
