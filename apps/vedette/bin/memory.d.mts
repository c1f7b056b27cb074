export declare function relaunchSmall(): void;
