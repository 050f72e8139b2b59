// Runs of cron expressions by cron-parser: a line of JSON in, a line out.
const { CronExpressionParser } = require('cron-parser');
const lines = require('readline').createInterface({ input: process.stdin });

lines.on('line', (line) => {
  const ask = JSON.parse(line);
  const runs = [];
  let error = '';
  try {
    const it = CronExpressionParser.parse(ask.cronParser, { currentDate: new Date(ask.from * 1000), tz: ask.zone });
    while (runs.length < ask.most) {
      const at = Math.floor(it.next().getTime() / 1000);
      if (at >= ask.until) break;
      runs.push(at);
    }
  } catch (e) {
    error = String(e);
  }
  process.stdout.write(JSON.stringify({ runs, error }) + '\n');
});
