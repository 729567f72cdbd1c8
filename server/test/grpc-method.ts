/** A method of a gRPC service whose messages are plain bytes, so that no test needs a schema. */
export const asBytes = (bytes: Buffer): Buffer => bytes

export function toMethod(path: string, requestStream: boolean, responseStream: boolean) {
  const codec = {
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  }
  return { path, requestStream, responseStream, ...codec }
}
