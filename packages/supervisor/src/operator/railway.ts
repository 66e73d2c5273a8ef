/** Whether this process runs on Railway. An empty variable counts as unset. */
export function isRailway(environment: NodeJS.ProcessEnv): boolean {
  return ['RAILWAY_ENVIRONMENT_ID', 'RAILWAY_REPLICA_ID', 'RAILWAY_PROJECT_ID', 'RAILWAY_SERVICE_ID'].some((name) => Boolean(environment[name]))
}
