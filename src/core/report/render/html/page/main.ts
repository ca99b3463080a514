/** Script of a report's page: its charts become live when they come into view. Everything on the page is there without it. */
import type { Spec } from 'vega';
import { unshare } from '../../../charts/vega/sharing.ts';
import type { PageData } from '../../../charts/vega/views.ts';
import { LiveChart } from './live.ts';

const { charts, specs } = JSON.parse(document.getElementById('chart-data')!.textContent) as PageData;
const live = new Map<Element, LiveChart>();
const inView = new IntersectionObserver(
  entries => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      live.get(target)?.show();
      inView.unobserve(target);
    }
  },
  { rootMargin: '200px' },
);

for (const figure of document.querySelectorAll<HTMLElement>('figure[data-chart]')) {
  const chart = charts[figure.dataset['chart']!];
  if (chart === undefined) continue;
  const made = new LiveChart(figure, chart, place => unshare(specs, place) as Spec);
  live.set(made.box, made);
  inView.observe(made.box);
}
