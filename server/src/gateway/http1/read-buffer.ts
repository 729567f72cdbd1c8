/** Where plain sockets read into. */
const READ_BYTES = 65_536

/** One read at a time happens on a thread and its reader copies what it keeps: all clients and targets share this. */
export const READ_BUFFER = Buffer.allocUnsafeSlow(READ_BYTES)

const READ_VIEW = new DataView(READ_BUFFER.buffer)

/** The same bytes to be looked at in words; there is one for the shared buffer already. */
export function viewOf(bytes: Buffer): DataView {
  return bytes === READ_BUFFER ? READ_VIEW : new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
