/** The window that we give: what is taken by the one who reads is given again, in large steps. */
export class ReceiveWindow {
  private readonly sizeBytes: number
  private freeBytes: number
  private takenBytes = 0

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes
    this.freeBytes = sizeBytes
  }

  /** Notes bytes that came; false when they were more than the window had. */
  receive(bytes: number): boolean {
    this.freeBytes -= bytes
    return this.freeBytes >= 0
  }

  /** Notes bytes that somebody took; returns by how much the peer is to be told that the window opens, mostly 0. */
  take(bytes: number): number {
    this.takenBytes += bytes
    if (this.takenBytes < this.sizeBytes / 2) return 0
    const step = this.takenBytes
    this.takenBytes = 0
    this.freeBytes += step
    return step
  }
}
