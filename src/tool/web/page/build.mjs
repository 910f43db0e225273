// Bundles the page, and writes its files and licences as a C++ source.
//
//   node build.mjs OUT.cpp        in a folder with node_modules/ of package-lock.json
//
// Two files of script (the page and its shared worker), one of style, one of markup, one icon: all that the page loads, from its
// own origin. Fails if they are larger than a slow link should carry.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const k_max_bytes = 120 * 1000;
const k_bundled = ['preact', 'htm', 'uplot'];
const here = path.dirname(fileURLToPath(import.meta.url));
const modules = path.resolve('node_modules');
const esbuild = createRequire(path.join(modules, '..', 'build.mjs'))('esbuild');

// What esbuild leaves as it is: the indentation inside of templates, which htm drops anyway.
const no_indentation = {
  name: 'no-indentation',
  setup(build) {
    build.onLoad({ filter: /\.js$/ }, ({ path: file }) =>
      file.startsWith(here)
        ? { contents: fs.readFileSync(file, 'utf8').replace(/\n +/g, '\n'), loader: 'js' }
        : undefined,
    );
  },
};

async function bundle(entry) {
  const result = await esbuild.build({
    entryPoints: [path.join(here, 'src', entry)],
    bundle: true,
    minify: true,
    write: false,
    nodePaths: [modules],
    format: entry.endsWith('.css') ? undefined : 'iife',
    target: ['chrome109', 'firefox115', 'safari16'],
    legalComments: 'none',
    logLevel: 'error',
    plugins: [no_indentation],
  });
  return Buffer.from(result.outputFiles[0].contents);
}

function licences() {
  return k_bundled
    .map((name) => {
      const { version, license } = JSON.parse(fs.readFileSync(path.join(modules, name, 'package.json'), 'utf8'));
      const text = fs.readFileSync(path.join(modules, name, 'LICENSE'), 'utf8').trim();
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** A string literal a line: of characters that need no thought, and octal escapes for all others. */
function literal(data) {
  const lines = [];
  for (let at = 0; at < data.length; at += 100) {
    let line = '';
    for (const byte of data.subarray(at, at + 100)) {
      const is_plain = byte >= 32 && byte < 127 && byte !== 34 && byte !== 92 && byte !== 63;
      line += is_plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
    }
    lines.push(`    "${line}"`);
  }
  return lines.join('\n') || '    ""';
}

const read = (name) => fs.readFileSync(path.join(here, name));
const files = [
  ['index.html', 'text/html; charset=utf-8', read('index.html')],
  ['page.js', 'text/javascript; charset=utf-8', await bundle('main.js')],
  ['worker.js', 'text/javascript; charset=utf-8', await bundle('worker.js')],
  ['page.css', 'text/css; charset=utf-8', await bundle('page.css')],
  ['icon.svg', 'image/svg+xml', read('icon.svg')],
];
const total = files.reduce((sum, [, , data]) => sum + data.length, 0);
if (total > k_max_bytes) throw new Error(`the page has ${total} bytes, more than ${k_max_bytes}`);

const text = Buffer.from(licences());
const constants = files.map(
  ([, , data], i) => `constexpr std::string_view k_file_${i}(\n${literal(data)},\n    ${data.length});\n`,
);
const rows = files.map(([name, type], i) => `    PageFile{"${name}", "${type}", k_file_${i}},`);
fs.writeFileSync(
  process.argv[2],
  `// Written by src/tool/web/page/build.mjs.
#include <array>

#include "tool/web/web_page.hpp"

namespace beltway::tool {

namespace {

${constants.join('\n')}
constexpr std::string_view k_licences(
${literal(text)},
    ${text.length});

constexpr std::array<PageFile, ${files.length}> k_files{
${rows.join('\n')}
};

}  // namespace

std::span<const PageFile> page_files() noexcept { return k_files; }
std::string_view page_licences() noexcept { return k_licences; }

}  // namespace beltway::tool
`,
);
console.log(`the page: ${files.map(([name, , data]) => `${name} ${data.length}`).join(', ')}; ${total} bytes`);
