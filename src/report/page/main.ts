/** Script of a report's page: its charts become live when they come into view. Everything on the page is there without it. */
import type { Chart } from '../charts/chart.ts';
import { LiveChart } from './live.ts';

const data = JSON.parse(document.getElementById('chart-data')!.textContent) as Readonly<Record<string, Chart>>;
const charts = new Map<Element, LiveChart>();
const inView = new IntersectionObserver(
  entries => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      charts.get(target)?.show();
      inView.unobserve(target);
    }
  },
  { rootMargin: '200px' },
);

for (const figure of document.querySelectorAll<HTMLElement>('figure[data-chart]')) {
  const chart = data[figure.dataset['chart']!];
  if (chart === undefined) continue;
  const live = new LiveChart(figure, chart);
  charts.set(live.box, live);
  inView.observe(live.box);
}
