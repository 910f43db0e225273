// What a consumer receives: messages, batches of them, and their properties.
/// <reference types="node" />

export interface DeadLetter {
  reason: 'rejected' | 'too_many_deliveries' | 'expired' | 'lease_over' | 'unknown';
  deliveries: number;
  position: number;
  firstTime: number;
  lastTime: number;
  queue: string;
  group: string;
}
/** What a message says beside its payload. Texts that are no UTF-8 are Buffers. */
export interface Properties {
  key?: string | Buffer;
  correlationId?: string | Buffer;
  replyTo?: string | Buffer;
  contentType?: string | Buffer;
  traceId?: string | Buffer;
  headers: Array<[string | Buffer, string | Buffer]>;
  publishTime?: number;
  deadLetter?: DeadLetter;
}

/**
 * A received message: a copy, which stays valid. In a named group it is leased: ack() ends it, nack() gives it back, reject()
 * gives it up. Each returns false if the lease had ended before. A message that is forgotten stays leased until its consumer is
 * closed or collected, or until leaseTimeout is over. In a private group its place in the ring is free already.
 */
export class Message {
  private constructor();
  /** The payload. Its memory (data.buffer) also holds other messages, as that of small Buffers of Node does. */
  readonly data: Buffer;
  readonly size: number;
  /** The payload as UTF-8. */
  text(): string;
  json(): any;
  /** The place in the queue's one order. Exact below 2^53. */
  readonly position: number;
  /** 1 at the first delivery. */
  readonly deliveries: number;
  /** The index of the producer. */
  readonly producer: number;
  /** Lossy consumers and groups with dropOldest: messages that are gone right before this one. */
  readonly lost: number;
  /** How old the message was when it was received, in milliseconds; undefined without stamps. */
  readonly age: number | undefined;
  readonly publishedAt: Date | undefined;
  readonly properties: Properties;
  ack(): boolean;
  /** `delay`: how long the message waits before it comes again; not given: as the group says. */
  nack(delay?: number): boolean;
  /** Throws BeltwayError misuse, and gives the message back, if the group has no dead letter queue and does not discard. */
  reject(): boolean;
  /** Gives the lease its whole time again. False: the message is another consumer's. */
  extend(): boolean;
  stillHeld(): boolean;
  /** nack() unless the message has ended. */
  [Symbol.dispose](): void;
}

/**
 * Messages in memory that the next receiveBatch() of their consumer uses again: valid until then. Numbers from 0 to length - 1
 * name them. No object is made for a message, but by data() and properties(). A message of a named group that has not ended by
 * then stays leased, as one that is forgotten.
 */
export interface Batch {
  readonly length: number;
  /** The memory of all: message `index` lies from begin(index) on. */
  readonly bytes: Buffer;
  begin(index: number): number;
  size(index: number): number;
  /** A view of `bytes`. */
  data(index: number): Buffer;
  text(index: number): string;
  position(index: number): number;
  deliveries(index: number): number;
  properties(index: number): Properties;
  /** One message, or all that have not ended. Returns how many acks were true. */
  ack(index?: number): number;
  nack(index: number, delay?: number): boolean;
  reject(index: number): boolean;
}
