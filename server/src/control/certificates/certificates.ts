/** Certificates of a workspace: the gateways of an environment show them to clients by the name that these ask for. */
import { certificate } from '../../config/schema/certificate.ts'
import { listEnvironmentNames } from '../environments/environment-names.ts'
import { publishListenerAtEnd } from '../environments/gateway-settings.ts'
import type { Change, CollectionDefinition } from '../resources/define-collection.ts'
import { documentOf } from '../resources/resource-view.ts'
import { withSecrets } from '../secrets/secret-values.ts'
import { refuseClaimedNames } from './certificate-names.ts'
import { chainOf, checkNames, checkPair, describeCertificate, readChain } from './read-certificate.ts'

export const certificates: CollectionDefinition = {
  kind: 'certificate',
  plural: 'certificates',
  title: 'a certificate',
  permissions: 'certificates',
  schema: certificate,
  perEnvironment: true,
  check(_control, _db, _workspace, document) {
    checkNames(document, readChain(chainOf(document)))
    return Promise.resolve()
  },
  describe: (document, { clock }) => describeCertificate(document, clock.now()),
  changed: publishCertificate,
}

/** It belongs to the listener, so the line of the listener is written anew in every environment that it is for. */
async function publishCertificate({ control, workspace, write, before, after }: Change): Promise<void> {
  const row = after ?? before
  if (row === undefined) return
  if (after !== undefined) {
    const document = documentOf(after)
    checkPair(await withSecrets(write.db, control, workspace, document))
    await refuseClaimedNames(write.db, after, before)
  }
  const concerned = row.environment === '' ? await listEnvironmentNames(write.db) : [row.environment]
  for (const name of concerned) publishListenerAtEnd(control, write, name)
}
