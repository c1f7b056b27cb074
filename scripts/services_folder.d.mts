export declare const runFolder: string;
