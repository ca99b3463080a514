/** DuckDB in memory over tables of a store: what a query does there changes no file; the tables go out as Parquet. */
import { join } from 'node:path';
import type { DuckDBAppender, DuckDBConnection } from '@duckdb/node-api';
import { AblateError, UsageError } from '../ablation/errors.ts';
import { SETUP } from '../../installation.ts';
import type { StoreReader } from '../store/reader.ts';
import type { Column, StoreCell, StoreTable } from '../store/tables.ts';

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly isNumber: boolean }[];
  /** `JSON` columns as values; whole numbers beyond 2^53 as text. */
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * @param sql one statement or several, of which the last one's rows are returned
 * @throws UsageError with DuckDB's message when it refuses the statement
 */
export async function query(sql: string, store: StoreReader, tables: readonly StoreTable[], warn: (message: string) => void): Promise<QueryResult> {
  const { DuckDBInstance } = await loadDuckDB();
  // Without external access no statement reads or writes files, not even COPY or ATTACH.
  const instance = await DuckDBInstance.create(':memory:', { enable_external_access: 'false' });
  const connection = await instance.connect();
  try {
    await connection.run('create schema store');
    for (const table of tables) await createView(connection, table, isMentioned(table, sql) ? table.rows(store, warn) : []);
    return await read(connection, sql);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Writes `<table>.parquet` for each table into an empty folder of ours: names and types of columns as views of `query` have them, JSON as text. */
export async function writeParquet(folder: string, store: StoreReader, tables: readonly StoreTable[], warn: (message: string) => void): Promise<void> {
  const { DuckDBInstance } = await loadDuckDB();
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run('create schema store');
    for (const table of tables) {
      await createView(connection, table, table.rows(store, warn));
      const file = join(folder, `${table.name}.parquet`).replaceAll("'", "''");
      // JSON as text: readers elsewhere take DuckDB's type for bytes.
      const columns = table.columns.map(({ name, type }) => (type === 'JSON' ? `cast("${name}" as varchar) as "${name}"` : `"${name}"`));
      await connection.run(`copy (select ${columns.join(', ')} from ${table.name}) to '${file}' (format parquet)`);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Loaded for this command alone: the library is large. */
async function loadDuckDB(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api');
  } catch (error) {
    throw new AblateError('NO_DUCKDB', `Expected DuckDB for Node (package @duckdb/node-api), got: ${error instanceof Error ? error.message : String(error)}; run \`${SETUP}\``, { cause: error });
  }
}

/** Curves are long: they are read only for a statement that could be about them. */
const isMentioned = ({ name }: StoreTable, sql: string): boolean => new RegExp(`\\b${name}\\b`, 'i').test(sql);

const asStored = ({ type }: Column): string => (type === 'TIMESTAMP' || type === 'JSON' ? 'VARCHAR' : type);

async function createView(connection: DuckDBConnection, { name, columns }: StoreTable, rows: Iterable<readonly StoreCell[]>): Promise<void> {
  await connection.run(`create table store.${name} (${columns.map(c => `"${c.name}" ${asStored(c)}`).join(', ')})`);
  const appender = await connection.createAppender(name, 'store');
  for (const row of rows) {
    columns.forEach((column, i) => append(appender, column, row[i]!));
    appender.endRow();
  }
  appender.closeSync();
  const cast = columns.map(c => (asStored(c) === c.type ? `"${c.name}"` : `cast("${c.name}" as ${c.type}) as "${c.name}"`));
  await connection.run(`create view ${name} as select ${cast.join(', ')} from store.${name}`);
}

function append(appender: DuckDBAppender, { type }: Column, cell: StoreCell): void {
  if (cell === null) appender.appendNull();
  else if (type === 'BIGINT') appender.appendBigInt(BigInt(Math.trunc(Number(cell))));
  else if (type === 'DOUBLE') appender.appendDouble(Number(cell));
  else appender.appendVarchar(String(cell));
}

async function read(connection: DuckDBConnection, sql: string): Promise<QueryResult> {
  try {
    const reader = await connection.runAndReadAll(sql);
    const types = reader.columnTypes().map(type => type.alias ?? type.toString());
    const columns = reader.deduplicatedColumnNames().map((name, i) => ({ name, isNumber: NUMBER.test(types[i]!) }));
    return { columns, rows: reader.getRowsJson().map(row => row.map((value, i) => plain(value, types[i]!))) };
  } catch (error) {
    throw new UsageError('BAD_SQL', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|UINTEGER|FLOAT|DOUBLE|DECIMAL.*|BIGNUM)$/;

/** DuckDB's JSON gives whole numbers of 64 bits and decimals as text, and JSON columns, too. */
function plain(value: unknown, type: string): unknown {
  if (typeof value !== 'string') return value;
  if (NUMBER.test(type)) {
    const number = Number(value);
    return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : value;
  }
  return type === 'JSON' ? (JSON.parse(value) as unknown) : value;
}
