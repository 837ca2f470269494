/** Of restarts in which another process takes over, in the one list of events: the old process's end with its list. */
export type HandoverEvent =
  | {
      /** A new process was started. */
      readonly kind: 'handover-started';
      /** What has asked for it. */
      readonly by: string;
      readonly pid: number;
    }
  | {
      /** All is as before. */
      readonly kind: 'handover-failed';
      readonly reason: string;
      /** What the new process has written last; '' for nothing. */
      readonly lastWords: string;
    }
  | {
      /** NEW PROCESS: it has the clients that connect from now on. */
      readonly kind: 'handover-taken';
      /** Of the old process. */
      readonly from: number;
      readonly fromVersion: string;
      readonly sockets: number;
      readonly durationMs: number;
    }
  | {
      /** NEW PROCESS: the old one has ended; nobody else writes past this one any more. */
      readonly kind: 'handover-ended';
      readonly from: number;
      /** It has said that nothing of its clients is left at a server. */
      readonly clean: boolean;
      readonly durationMs: number;
    };
