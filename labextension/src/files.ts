import type { JupyterFrontEnd } from '@jupyterlab/application';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { IFiles } from './components/page';

const TABLE = /\.(parquet|csv)$/;

/** The files of JupyterLab's file browser. */
export function files(app: JupyterFrontEnd): IFiles {
  return {
    open: path => void app.commands.execute('docmanager:open', { path }),
    pickTable: async () => {
      const manager = await app.resolveOptionalService(IDocumentManager);
      if (!manager) {
        return null;
      }
      const filter = (file: { type: string; name: string }): Partial<Record<string, never>> | null =>
        file.type === 'directory' || TABLE.test(file.name) ? {} : null;
      const { value } = await FileDialog.getOpenFiles({ manager, filter });
      const path = value?.[0]?.path;
      return path === undefined ? null : app.serviceManager.contents.localPath(path);
    }
  };
}
