// Beltway for Node.js: message queues in shared memory for the processes of one machine.
//
// Each call that may wait has two forms: with a callback `(error, result)` as its last argument, and without one, which returns a
// promise. No call blocks the thread: requests to the daemon run in libuv's pool, and a call that waits for a message or for
// room waits in the event loop. Times are milliseconds. Objects belong to the thread that made them; a worker connects by itself.
/// <reference types="node" />

import type {
  DaemonInfo, EventPage, OptionChange, PeekedMessage, PurgeResult, QueueInfo, QueueSnapshot, ResetResult,
} from './info';
import type { Batch, Message } from './message';

export * from './info';
export * from './message';

declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
}

export type Callback<Result> = (error: BeltwayError | null, result: Result) => void;
/** What can be published. A string is published in UTF-8. */
export type Bytes = NodeJS.ArrayBufferView | ArrayBufferLike | string;

export type ErrorCode =
  | 'invalid_option' | 'not_found' | 'already_exists' | 'no_permission' | 'limit_reached' | 'too_large' | 'removed' | 'evicted'
  | 'no_daemon' | 'protocol' | 'incompatible' | 'wrong_type' | 'forked' | 'misuse' | 'system' | 'interrupted' | 'timeout';

/** What Beltway throws and rejects with. `message` names the operation, the object and the remedy. */
export class BeltwayError extends Error {
  constructor(code: ErrorCode, message: string);
  readonly code: ErrorCode;
  /** Of publishMany(): how many messages were published before the error. */
  published?: number;
}

export interface ConnectionOptions {
  /** The daemon's socket. Not given: $BELTWAY_SOCKET, else the user's own, else that of the machine. */
  socket?: string;
  /** Start the user's own daemon if none answers (true). Never if a socket is named. */
  startDaemon?: boolean;
  /** How long a request waits for the daemon (10000). */
  timeout?: number;
  /** The same, if it is shorter, while the daemon's process is stopped by a signal or a debugger. */
  stoppedTimeout?: number;
}

/** Of a named group; not given: as the queue has it. The queue's options of the same name explain them. */
export interface GroupOptions {
  evictAfter?: number;
  retryDelay?: number;
  retryDelayMax?: number;
  maxDeliveries?: number;
  discard?: boolean;
  deadLetter?: string;
  ttl?: number;
  leaseTimeout?: number;
  dropOldest?: number;
}
export interface NamedGroup extends GroupOptions {
  name: string;
}

export interface QueueOptions {
  /** Messages in the ring: a power of two (1024). */
  slots?: number;
  /** Bytes of a slot: 32, 64 or a multiple of 64 (128). The payload has 16 less; larger messages lie in the lane. */
  slotBytes?: number;
  /** Each producer's room for larger messages (1 MiB); 0: none. */
  laneBytes?: number;
  /** 1 makes the faster ring (8). */
  maxProducers?: number;
  maxConsumers?: number;
  maxGroups?: number;
  /** Named groups, made with the queue: each keeps all messages from then on. */
  groups?: Array<string | NamedGroup>;
  /** Who may produce (w) and consume (r), as of a file (0o600). */
  mode?: number;
  fence?: 'asymmetric' | 'symmetric';
  /** The daemon evicts a consumer that stands still for so long while producers wait; 0: never (0). */
  evictAfter?: number;
  /** How long a message waits that failed once (1); doubled with each failure, up to retryDelayMax (1000). */
  retryDelay?: number;
  retryDelayMax?: number;
  /** A message is given up after so many deliveries; needs `deadLetter` or `discard`. 0: never (0). */
  maxDeliveries?: number;
  /** Drop and count messages that are rejected or given up. */
  discard?: boolean;
  /** The queue for messages that are rejected, given up or expired. */
  deadLetter?: string;
  /** Messages that are older expire; 0: none (0). */
  ttl?: number;
  /** A message that a consumer holds for longer goes to another; 0: never (0). */
  leaseTimeout?: number;
  /** A named group keeps so many of its newest messages; 0: all (0). */
  dropOldest?: number;
  /** Whether messages tell their age. */
  stamps?: 'off' | 'coarse' | 'fine';
  maxParked?: number;
  type?: { name: string; size: number; alignment: number };
  /** For people. */
  description?: string;
  /** The queue ends with this process. */
  exclusive?: boolean;
  /** The queue is removed when nobody was attached for so long; 0: never (0). */
  expireAfter?: number;
}

export interface ProducerOptions {
  /** The queue remembers the last sequence number of each name. */
  name?: string;
  /** No effect here: a call that waits waits in the event loop. */
  wait?: 'adaptive' | 'spin' | 'sleep';
  populate?: boolean;
  lockMemory?: boolean;
}

export interface ConsumerOptions {
  /** A named group: its consumers share the messages. Not given: a private group, which sees all. */
  group?: string;
  /** Make the group if it is missing. */
  createGroup?: boolean;
  /** Private only: producers overtake this consumer, and `lost` of a message says how many are gone. */
  lossy?: boolean;
  /** Lossy only: each receive gives the newest message. */
  conflate?: boolean;
  start?: 'latest' | 'oldest';
  /** The same as endOfStream: "never". */
  follow?: boolean;
  endOfStream?: 'by_group' | 'never' | 'after_producer' | 'drained';
  /** "automatic": a message is acknowledged when the next one is asked for. */
  ack?: 'explicit' | 'automatic';
  /**
   * Named only: messages held unacknowledged at most; 0: as many as the ring has slots. A consumer leases only what a call
   * returns, so the default is right for jobs. Make it small for batches, and for consume() with an async callback, whose
   * promise nobody awaits.
   */
  prefetch?: number;
  wait?: 'adaptive' | 'spin' | 'sleep';
  populate?: boolean;
  lockMemory?: boolean;
  spinBackoff?: boolean;
  speculativeSpin?: boolean;
  /** After an eviction attach again and go on. That request to the daemon blocks the thread. */
  reattach?: boolean;
}

/** How long a call waits. Without both: until there is something. */
export interface WaitOptions {
  timeout?: number;
  /** An abort rejects with the signal's reason. */
  signal?: AbortSignal;
}
/** Of publishMany() with messages in one buffer. */
export interface PackedOptions extends WaitOptions {
  /** Bytes of each message. */
  size: number;
}

export interface PublishOptions extends WaitOptions {
  key?: string;
  correlationId?: string;
  replyTo?: string;
  contentType?: string;
  traceId?: string;
  headers?: Record<string, Bytes> | Array<[string, Bytes]>;
  /** Milliseconds since 1970, or "now". */
  publishTime?: number | 'now';
  /** How long the message may wait for its delivery. */
  ttl?: number;
  /** Named producers: must be above that of each message that the name has published, else it is a duplicate. */
  sequence?: number | bigint;
}

export type Counters = Record<string, number>;

/** One attached producer. Made by Queue.producer(). */
export class Producer {
  private constructor();
  readonly index: number;
  readonly queueName: string;
  readonly maxMessageBytes: number;
  /** Bytes of the largest message that lies in its slot. */
  readonly maxInlineBytes: number;
  /** The highest sequence number that this producer's name has published. */
  readonly lastSequence: bigint;
  /**
   * Copies the message into the queue. Waits while a group holds the queue full, in the order of the calls. True: published.
   * False: a duplicate, by its sequence number. Rejects with timeout, removed, evicted, too_large, misuse.
   */
  publish(message: Bytes, options?: PublishOptions): Promise<boolean>;
  publish(message: Bytes, callback: Callback<boolean>): void;
  publish(message: Bytes, options: PublishOptions | undefined, callback: Callback<boolean>): void;
  /** Never waits. True: the message is in the queue. False: there is no room now. */
  tryPublish(message: Bytes, options?: PublishOptions): boolean;
  /**
   * Publishes all messages, in their order; waits as publish(). Cheaper a message. The array and what it holds must not change
   * until it is done. An error has `published`.
   */
  publishMany(messages: Bytes[], options?: WaitOptions): Promise<number>;
  publishMany(messages: Bytes[], callback: Callback<number>): void;
  publishMany(messages: Bytes[], options: WaitOptions | undefined, callback: Callback<number>): void;
  /**
   * Publishes messages of `options.size` bytes each that lie one behind the other in one buffer: the cheapest way. The buffer
   * must not change until it is done. A length that is no multiple of the size rejects with invalid_option.
   */
  publishMany(messages: NodeJS.ArrayBufferView | ArrayBuffer, options: PackedOptions): Promise<number>;
  publishMany(messages: NodeJS.ArrayBufferView | ArrayBuffer, options: PackedOptions, callback: Callback<number>): void;
  counters(): Counters;
  /** Detaches. What was published stays. */
  close(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One attached consumer. Made by Queue.consumer(). Several calls may wait at once: they are served in their order. */
export class Consumer implements AsyncIterable<Message> {
  private constructor();
  readonly index: number;
  readonly queueName: string;
  /** Empty: private. */
  readonly group: string;
  /** True once the end of the stream was told. */
  readonly ended: boolean;
  /** Messages that are not acknowledged. */
  readonly held: number;
  /** How often it has attached again (ConsumerOptions.reattach). */
  readonly reattached: number;
  /** The next message. Null: the timeout is over, or the stream has ended. */
  receive(options?: WaitOptions): Promise<Message | null>;
  receive(callback: Callback<Message | null>): void;
  receive(options: WaitOptions | undefined, callback: Callback<Message | null>): void;
  /** Null: there is none now. */
  tryReceive(): Message | null;
  /** What is there, one message at least and `most` at most. None: as null of receive(). */
  receiveMany(most: number, options?: WaitOptions): Promise<Message[]>;
  receiveMany(most: number, callback: Callback<Message[]>): void;
  receiveMany(most: number, options: WaitOptions | undefined, callback: Callback<Message[]>): void;
  /**
   * Copies the payload to `buffer`, and allocates nothing: the message is the same object each time, and valid until the next
   * receiveInto(). A buffer that is too small rejects with too_large, and takes nothing.
   */
  receiveInto(buffer: Uint8Array, options?: WaitOptions): Promise<Message | null>;
  receiveInto(buffer: Uint8Array, callback: Callback<Message | null>): void;
  receiveInto(buffer: Uint8Array, options: WaitOptions | undefined, callback: Callback<Message | null>): void;
  /**
   * As receiveMany(), for streams of small messages: the batch is the same object each time. It has 1024 messages at most.
   * Null as with receive().
   */
  receiveBatch(most: number, options?: WaitOptions): Promise<Batch | null>;
  receiveBatch(most: number, callback: Callback<Batch | null>): void;
  receiveBatch(most: number, options: WaitOptions | undefined, callback: Callback<Batch | null>): void;
  /** Calls back with each message. At last with an error, or with null: the stream has ended, or the consumer was closed. */
  consume(callback: Callback<Message | null>, options?: { signal?: AbortSignal }): void;
  /** Until the stream ends. Leaving the loop leaves the consumer open. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message>;
  messages(options?: { signal?: AbortSignal }): AsyncIterableIterator<Message>;
  /** Acknowledges all. Returns how many acks were true. */
  ackMany(messages: Message[]): number;
  counters(): Counters;
  /** Gives back what it holds, and detaches. Calls that wait get null. */
  close(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A handle of one queue. */
export class Queue {
  private constructor();
  readonly name: string;
  readonly id: number;
  readonly options: QueueInfo['options'];
  producer(options?: ProducerOptions): Promise<Producer>;
  producer(callback: Callback<Producer>): void;
  producer(options: ProducerOptions | undefined, callback: Callback<Producer>): void;
  consumer(options?: ConsumerOptions): Promise<Consumer>;
  consumer(callback: Callback<Consumer>): void;
  consumer(options: ConsumerOptions | undefined, callback: Callback<Consumer>): void;
  /** Until so many are attached, of all processes. False: the timeout is over. */
  waitForConsumers(count: number, options?: WaitOptions, callback?: Callback<boolean>): Promise<boolean>;
  waitForProducers(count: number, options?: WaitOptions, callback?: Callback<boolean>): Promise<boolean>;
  addGroup(group: string | NamedGroup, start?: 'latest' | 'oldest', callback?: Callback<void>): Promise<void>;
  removeGroup(group: string, options?: { force?: boolean }, callback?: Callback<void>): Promise<void>;
  pauseGroup(group: string, callback?: Callback<void>): Promise<void>;
  resumeGroup(group: string, callback?: Callback<void>): Promise<void>;
  resetGroup(group: string, to: 'latest' | 'oldest' | { position: number } | { published: number | Date },
    callback?: Callback<ResetResult>): Promise<ResetResult>;
  /** Takes the messages of that consumer (EndpointInfo.index) away and gives them to the others. */
  evict(consumer: number, callback?: Callback<void>): Promise<void>;
  /** Acknowledges one message that no consumer holds: the group loses it. Owner and root only. not_found, misuse: it is held. */
  ackMessage(group: string, position: number, callback?: Callback<void>): Promise<void>;
  /**
   * Moves one message that no consumer holds to another queue, with its properties. Waits while that queue is full, for 30 s at
   * most, in a thread of libuv's pool. False: it stayed full, and the message is where it was. Owner and root only.
   */
  moveMessage(group: string, position: number, target: Queue, options?: { timeout?: number },
    callback?: Callback<boolean>): Promise<boolean>;
  /** Acknowledges all that no consumer holds. */
  purge(group: string, callback?: Callback<PurgeResult>): Promise<PurgeResult>;
  describe(callback?: Callback<QueueInfo>): Promise<QueueInfo>;
  snapshot(callback?: Callback<QueueSnapshot>): Promise<QueueSnapshot>;
  /** Copies of up to `count` messages, the oldest first, or from position `from` on; nothing is taken. */
  peek(count: number, options?: { maxBytes?: number; group?: string; from?: number },
    callback?: Callback<PeekedMessage[]>): Promise<PeekedMessage[]>;
}

/** The way to the daemon. Queues and endpoints go on when it is closed. */
export class Connection {
  private constructor();
  /** Makes the queue, or opens it if it exists with these options. Without options: whatever its options are. */
  declare(name: string, options?: QueueOptions): Promise<Queue>;
  declare(name: string, callback: Callback<Queue>): void;
  declare(name: string, options: QueueOptions | undefined, callback: Callback<Queue>): void;
  /** As declare(), but an existing queue is compared in the given options alone, and those that may change are changed. */
  declareSome(name: string, options: QueueOptions, callback?: Callback<object>): Promise<{
    queue: Queue; created: boolean; changed: OptionChange[];
  }>;
  /** Opens an existing queue; not_found. With `timeout` or `signal` it waits until a process has declared the queue. */
  openQueue(name: string, options?: WaitOptions): Promise<Queue>;
  openQueue(name: string, callback: Callback<Queue>): void;
  openQueue(name: string, options: WaitOptions | undefined, callback: Callback<Queue>): void;
  remove(name: string, options?: { force?: boolean }, callback?: Callback<void>): Promise<void>;
  list(callback?: Callback<QueueInfo[]>): Promise<QueueInfo[]>;
  describe(name: string, callback?: Callback<QueueInfo>): Promise<QueueInfo>;
  /**
   * What the daemon has seen, from the event with the sequence number `since` on, at most `count` events. To follow them, ask
   * again now and then, with `next` of the answer.
   */
  events(options?: { since?: number; count?: number }, callback?: Callback<EventPage>): Promise<EventPage>;
  events(callback: Callback<EventPage>): void;
  ping(callback?: Callback<DaemonInfo>): Promise<DaemonInfo>;
  close(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Connects to the daemon, and starts the user's own if none answers. */
export function connect(options?: ConnectionOptions): Promise<Connection>;
export function connect(callback: Callback<Connection>): void;
export function connect(options: ConnectionOptions | undefined, callback: Callback<Connection>): void;

export const version: string;
