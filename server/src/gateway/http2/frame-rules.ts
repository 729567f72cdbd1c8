/** What a frame's head alone can have wrong (RFC 9113 §6): its length, and whether it names a stream. */
import {
  CONTINUATION,
  DATA,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HEADERS,
  NO_ERROR,
  PING,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frames.ts'

/** Frames of a stream, and those of the connection; WINDOW_UPDATE is either. */
const OF_STREAM = new Set([DATA, HEADERS, PRIORITY, RST_STREAM, CONTINUATION])
const OF_CONNECTION = new Set([SETTINGS, PING, GOAWAY])

/** The error of the connection that a frame is by its type, length and stream; NO_ERROR when there is none. */
export function checkFrame(type: number, length: number, streamId: number): number {
  // A client never pushes (RFC 9113 §8.4).
  if (type === PUSH_PROMISE) return PROTOCOL_ERROR
  if (OF_STREAM.has(type) && streamId === 0) return PROTOCOL_ERROR
  if (OF_CONNECTION.has(type) && streamId !== 0) return PROTOCOL_ERROR
  return isLength(type, length) ? NO_ERROR : FRAME_SIZE_ERROR
}

function isLength(type: number, length: number): boolean {
  switch (type) {
    case RST_STREAM:
    case WINDOW_UPDATE:
      return length === 4
    case PING:
      return length === 8
    case SETTINGS:
      return length % 6 === 0
    case GOAWAY:
      return length >= 8
    default:
      return true
  }
}
