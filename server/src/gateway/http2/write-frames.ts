/**
 * Frames as latin1 text: heads and field sections are joined as one string and written by one call, which is cheaper
 * than as many small buffers.
 */
import {
  ACK,
  CONTINUATION,
  END_HEADERS,
  GOAWAY,
  HEADERS,
  MAX_FRAME_BYTES,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frames.ts'

export function toFrameHead(length: number, type: number, flags: number, streamId: number): string {
  return String.fromCharCode(length >>> 16, (length >>> 8) & 255, length & 255, type, flags) + toUint32(streamId)
}

function toUint32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255)
}

export function toReset(streamId: number, code: number): string {
  return toFrameHead(4, RST_STREAM, 0, streamId) + toUint32(code)
}

export function toGoaway(lastStreamId: number, code: number): string {
  return toFrameHead(8, GOAWAY, 0, 0) + toUint32(lastStreamId) + toUint32(code)
}

export function toWindowUpdate(streamId: number, bytes: number): string {
  return toFrameHead(4, WINDOW_UPDATE, 0, streamId) + toUint32(bytes)
}

export function toPing(opaque: string, flags: number): string {
  return toFrameHead(8, PING, flags, 0) + opaque
}

/** A SETTINGS frame of pairs of identifier and value. */
export function toSettings(pairs: readonly (readonly [number, number])[]): string {
  let text = toFrameHead(pairs.length * 6, SETTINGS, 0, 0)
  for (const [id, value] of pairs) text += String.fromCharCode(id >>> 8, id & 255) + toUint32(value)
  return text
}

export const SETTINGS_ACK = toFrameHead(0, SETTINGS, ACK, 0)

/** A header block in HEADERS, and CONTINUATION for what is longer (RFC 9113 §6.10). */
export function toSectionFrames(block: string, flags: number, streamId: number): string {
  if (block.length <= MAX_FRAME_BYTES) return toFrameHead(block.length, HEADERS, flags | END_HEADERS, streamId) + block
  let frames = toFrameHead(MAX_FRAME_BYTES, HEADERS, flags, streamId) + block.slice(0, MAX_FRAME_BYTES)
  for (let at = MAX_FRAME_BYTES; at < block.length; at += MAX_FRAME_BYTES) {
    const part = block.slice(at, at + MAX_FRAME_BYTES)
    const last = at + part.length === block.length ? END_HEADERS : 0
    frames += toFrameHead(part.length, CONTINUATION, last, streamId) + part
  }
  return frames
}
