/** What a client says about itself in SETTINGS (RFC 9113 §6.5), as far as a server needs it. */
import {
  DEFAULT_WINDOW_BYTES,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  NO_ERROR,
  PROTOCOL_ERROR,
  SETTINGS_ENABLE_CONNECT_PROTOCOL,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_FRAME_SIZE,
} from './frames.ts'

/** There are a handful of settings; a frame of thousands has no honest use. */
const MAX_SETTINGS = 32
const PAIR_BYTES = 6
const MAX_FRAME_LIMIT = 16_777_215

export class PeerSettings {
  /** Of streams that begin from now on. */
  initialWindow = DEFAULT_WINDOW_BYTES
  /** Size of the peer's table; undefined when it did not say. */
  tableBytes: number | undefined

  /** Takes the payload in bytes[start, end); returns an error of the connection, or NO_ERROR. */
  apply(bytes: Buffer, start: number, end: number): number {
    if (end - start > MAX_SETTINGS * PAIR_BYTES) return ENHANCE_YOUR_CALM
    for (let at = start; at < end; at += PAIR_BYTES) {
      const error = this.set(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2))
      if (error !== NO_ERROR) return error
    }
    return NO_ERROR
  }

  private set(id: number, value: number): number {
    switch (id) {
      case SETTINGS_HEADER_TABLE_SIZE:
        this.tableBytes = value
        return NO_ERROR
      case SETTINGS_INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) return FLOW_CONTROL_ERROR
        this.initialWindow = value
        return NO_ERROR
      case SETTINGS_ENABLE_PUSH:
      case SETTINGS_ENABLE_CONNECT_PROTOCOL:
        return value > 1 ? PROTOCOL_ERROR : NO_ERROR
      case SETTINGS_MAX_FRAME_SIZE:
        // Whatever it takes, we send the least that everybody takes.
        return value < MAX_FRAME_BYTES || value > MAX_FRAME_LIMIT ? PROTOCOL_ERROR : NO_ERROR
      default:
        return NO_ERROR
    }
  }
}
