import { LabIcon } from '@jupyterlab/ui-components';
import modelsSvg from '../style/icons/models.svg';
import runWithSvg from '../style/icons/run-with.svg';

/** A gauge over a line: models, and how they do. */
export const modelsIcon = new LabIcon({ name: 'modelops:models', svgstr: modelsSvg });

/** A play sign over sliders: run, with parameters. */
export const runWithIcon = new LabIcon({ name: 'modelops:run-with', svgstr: runWithSvg });
