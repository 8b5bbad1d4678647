/** Errors in the documented form: `{object, status, code, message, request_id[, additional_data]}`. */
import { randomUUID } from 'node:crypto';
import type { Json } from './state.ts';

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  readonly data: Json | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { headers?: Record<string, string>; data?: Json } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = more.headers ?? {};
    this.data = more.data;
  }

  body(): Json {
    return {
      object: 'error',
      status: this.status,
      code: this.code,
      message: this.message,
      ...(this.data === undefined ? {} : { additional_data: this.data }),
      request_id: randomUUID(),
    };
  }
}

export const invalid = (message: string): ApiError => new ApiError(400, 'validation_error', message);
export const bodyInvalid = (where: string, should: string, was: unknown): ApiError =>
  invalid(
    `body failed validation: ${where} should be ${should}, instead was \`${typeof was === 'object' ? JSON.stringify(was) : String(was)}\`.`,
  );
export const notFound = (what: string, id: string): ApiError =>
  new ApiError(
    404,
    'object_not_found',
    `Could not find ${what} with ID: ${id}. Make sure the relevant pages and databases are shared with your integration.`,
  );
