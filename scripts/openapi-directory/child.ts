// A process that publishes some documents, one after the other, and tells of each.
import { publishDocument } from './publish-document.ts'

process.once('message', ({ folder, paths }: { folder: string; paths: readonly string[] }) => {
  void run(folder, paths).then(() => process.disconnect?.())
})

async function run(folder: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) process.send?.(await publishDocument(folder, path))
}
