import { LabIcon } from '@jupyterlab/ui-components';
import dashboardSvg from '../style/icons/dashboard.svg';
import modelsSvg from '../style/icons/models.svg';
import pipelineSvg from '../style/icons/pipeline.svg';
import runWithSvg from '../style/icons/run-with.svg';

/** A gauge over a line: models, and how they do. */
export const modelsIcon = new LabIcon({ name: 'modelops:models', svgstr: modelsSvg });

/** A play sign over sliders: run, with parameters. */
export const runWithIcon = new LabIcon({ name: 'modelops:run-with', svgstr: runWithSvg });

/** Boxes that lead to each other. */
export const pipelineIcon = new LabIcon({ name: 'modelops:pipeline', svgstr: pipelineSvg });

/** Bars in a frame. */
export const dashboardIcon = new LabIcon({ name: 'modelops:dashboard', svgstr: dashboardSvg });
