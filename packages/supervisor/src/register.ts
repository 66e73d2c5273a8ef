/**
 * The preload of every worker (`node --import stationmaster/register`); the supervisor adds it by itself. Does nothing in any other
 * process.
 */
import { Runtime } from './worker/runtime.ts'
import { takeSettings } from './worker/settings.ts'

const settings = takeSettings()
if (settings) new Runtime(settings)
