/**
 * Members that come and go by the thousand each second. A `Set` makes a new table whenever it is full and leaves the old
 * one behind with all that stood in it. Once such a table has lived into the old generation, it keeps those members and the
 * next table alive until the next full collection, though nothing else knows them: each collection of the young generation
 * then moves all that is under way into the old one. Here, whoever leaves is gone from memory at once.
 */

export interface RosterMember {
  /** Where it stands in its roster, for the roster alone; -1 before it is in one. */
  seat: number
}

export class Roster<Member extends RosterMember> {
  private readonly seats: Member[] = []

  get size(): number {
    return this.seats.length
  }

  add(member: Member): void {
    member.seat = this.seats.push(member) - 1
  }

  /** The last takes the seat of the one that leaves. Does nothing for one that is not there. */
  delete(member: Member): void {
    const { seat } = member
    if (this.seats[seat] !== member) return
    member.seat = -1
    const last = this.seats.pop()
    if (last === undefined || last === member) return
    this.seats[seat] = last
    last.seat = seat
  }

  /** From the last to the first, so that the one that is visited may leave. */
  *[Symbol.iterator](): Iterator<Member> {
    for (let seat = this.seats.length - 1; seat >= 0; seat--) {
      const member = this.seats[seat]
      if (member !== undefined) yield member
    }
  }
}
