/**
 * The cookies of the control plane (RFC 6265bis). With TLS their names begin with `__Host-`, so that no sibling domain
 * and no plain page can set them: a session cannot be fixed on somebody else's browser.
 */

/** Whether browsers reach the control plane by TLS: what `HEADGATE_CONTROL_PUBLIC_URL` says. */
export function isSecureSite(publicUrl: string | undefined): boolean {
  return publicUrl?.startsWith('https:') === true
}

export function cookieName(kind: 'session' | 'device' | 'oidc', publicUrl: string | undefined): string {
  return `${isSecureSite(publicUrl) ? '__Host-' : ''}headgate-${kind}`
}

interface CookieOptions {
  readonly publicUrl: string | undefined
  /** Zero removes it. */
  readonly maxAgeSeconds: number
  /** `Lax` only where an answer from another site must bring it along, as that of an identity provider. */
  readonly sameSite?: 'Strict' | 'Lax'
}

/** A `Set-Cookie` field. */
export function toCookie(
  kind: 'session' | 'device' | 'oidc',
  value: string,
  { publicUrl, maxAgeSeconds, sameSite = 'Strict' }: CookieOptions,
): string {
  const secure = isSecureSite(publicUrl) ? '; Secure' : ''
  const name = cookieName(kind, publicUrl)
  return `${name}=${value}; Path=/; HttpOnly${secure}; SameSite=${sameSite}; Max-Age=${maxAgeSeconds}`
}

/** The value; undefined when it is missing, or stands there twice: then somebody else put one in. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const found = (header ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : []
  })
  return found.length === 1 ? found[0] : undefined
}
