/** The version of the API that this client was made from, and its own. */
export const VERSION = "1.0.0";
