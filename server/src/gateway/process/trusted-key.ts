/** The key of control that this gateway believes, and how it follows when control rotates it. */
import type { Signer } from '../../kernel/signing-chain.ts'
import { findSigner, isSignedBy } from '../../kernel/signing-chain.ts'
import type { NodeIdentity } from './node-identity.ts'

export class TrustedKey {
  private identity: NodeIdentity
  private readonly keep: (identity: NodeIdentity) => void

  /** `keep` writes down what is believed from now on. */
  constructor(identity: NodeIdentity, keep: (identity: NodeIdentity) => void) {
    this.identity = identity
    this.keep = keep
  }

  /** Whether control signed it, with the key that is believed or with one that this one leads to, which then takes its place. */
  isSigned(text: string, signature: string, chain: readonly Signer[]): boolean {
    const { publicKey } = this.identity
    const key = findSigner(publicKey, chain, text, signature)
    if (key !== undefined && key !== publicKey) {
      this.identity = { ...this.identity, publicKey: key, previousPublicKey: publicKey }
      this.keep(this.identity)
    }
    return key !== undefined
  }

  /** For what lies on the own disk: it may have been written just before the key changed. */
  wasSigned(text: string, signature: string): boolean {
    const { publicKey, previousPublicKey } = this.identity
    return [publicKey, previousPublicKey].some((key) => key !== undefined && isSignedBy(key, text, signature))
  }
}
