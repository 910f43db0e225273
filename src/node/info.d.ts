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
