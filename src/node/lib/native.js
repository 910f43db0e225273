// Loads the native module that belongs to this machine from prebuilds/, where prebuildify and node-gyp-build have theirs.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const folder = path.join(__dirname, '..', 'prebuilds', `${process.platform}-${process.arch}`);

function load() {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.node')) : [];
  if (names.length === 0) {
    throw new Error(`beltway: there is no binary for ${process.platform}-${process.arch} (looked in ${folder}): ` +
      'Beltway runs on Linux; build the target beltway_node on this machine and make the package there');
  }
  return require(path.join(folder, names[0]));
}

module.exports = load();
