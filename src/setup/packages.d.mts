/** Whether `node_modules` of the folder `root` holds what its `package-lock.json` asks for. */
export function packagesInstalled(root: string): boolean;
