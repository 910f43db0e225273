// What the calls that look at queues and at the daemon give: see index.d.ts.
import type { NamedGroup, Properties, QueueOptions } from './index';

export interface EndpointInfo { index: number; producer: boolean; pid: number; uid: number; [name: string]: unknown; }
export interface QueueInfo {
  name: string;
  id: number;
  options: Required<Omit<QueueOptions, 'maxParked' | 'groups'>> & { maxParked?: number; groups: NamedGroup[] };
  endpoints: EndpointInfo[];
  producerNames: Array<{ name: string; lastSequence: bigint }>;
  paused: Array<{ name: string; pausedFor: number }>;
  [name: string]: unknown;
}
export interface GroupState {
  name: string; floor: number; depth: number; available: number; leased: number; [name: string]: unknown;
}
export interface QueueSnapshot { info: QueueInfo; position: number; used: number; groups: GroupState[]; [name: string]: unknown; }
export interface PeekedMessage {
  position: number; producer: number; data: Buffer; size: number; properties: Properties; age?: number;
  /** With `group`: how often it was delivered, and the consumer that holds it. */
  deliveries?: number; holder?: number;
}
/** Who keeps messages from being purged. `oldest`: the position of the oldest of them. */
export interface PurgeHolder { producer: boolean; index: number; pid: number; messages: number; oldest: number; }
export interface PurgeResult { purged: number; left: number; used: number; holders: PurgeHolder[]; }
export interface ResetResult { position: number; acknowledged: number; restored: number; held: number; }
/** What a declare has changed of a queue that existed. `group`: the group whose own option it is; empty: the queue's. */
export interface OptionChange { option: string; group: string; from: string; to: string; }
/** Another daemon of the caller's user. `pid` 0: not known. */
export interface OtherDaemon { pid: number; socket: string; }
/** A queue that the daemon keeps for another version of beltwayd. */
export interface HeldQueue { name: string; layout: string; why: string; }
export interface DaemonInfo {
  version: string;
  pid: number;
  socket: string;
  others: OtherDaemon[];
  held: HeldQueue[];
  [name: string]: unknown;
}
/** One thing that happened. What does not apply is absent. Later versions may add kinds. */
export interface DaemonEvent {
  /** 1 for the first one of a journal, then one more each time. */
  sequence: number;
  /** Milliseconds since 1970. */
  time: number;
  /** "attached", "died", "evicted", "full", "dead_lettered", ...: see include/beltway/events.hpp. */
  kind: string;
  /** What happened, for people. */
  text?: string;
  queue?: string; queueId?: number; group?: string; role?: 'producer' | 'consumer'; index?: number;
  /** The process of the endpoint, or the one that asked for it. */
  pid?: number; uid?: number; command?: string;
  voided?: number; released?: number; messages?: number;
}
export interface EventPage {
  /** Another number means that a daemon began anew, from sequence number 1. */
  journal: bigint;
  events: DaemonEvent[];
  /** Sequence numbers of the oldest event that the daemon remembers and of the newest one. */
  first: number; last: number;
  /** Ask for the events from here on next. */
  next: number;
  /** There are more already. */
  more: boolean;
}
