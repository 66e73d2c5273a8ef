/** One thing that `check` found: an error keeps the app from running, a warning will hurt later. Each a sentence that says what to do. */
export interface Finding {
  readonly level: 'error' | 'warning'
  readonly message: string
}

export const error = (message: string): Finding => ({ level: 'error', message })
export const warning = (message: string): Finding => ({ level: 'warning', message })
